import type { DoctorReport } from "../wire/rpc.ts";

export type Finding = DoctorReport["findings"][number];

export const sound = (check: string, finding: string): Finding => ({
  check,
  level: "ok",
  finding,
  remedy: null,
});
