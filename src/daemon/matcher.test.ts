import { describe, expect, it } from "vitest";
import { parseMatcher } from "./matcher.ts";

const MEMBERS = ["pve1", "pve2", "nas"];

describe("what a silence speaks of", () => {
  it.each([
    ["all", {}],
    ["node=nas", { node: "nas" }],
    ["node=pve*", { node: "pve*" }],
    ["node=PVE1", { node: "PVE1" }],
    ["kind=link-problem", { kind: "link-problem" }],
    ["severity=warning", { severity: "warning" }],
    ["node=*, kind=daemon-down ,severity=critical", { node: "*", kind: "daemon-down", severity: "critical" }],
  ])("%s", (text, matcher) => {
    expect(parseMatcher(text, MEMBERS)).toEqual({ ok: true, value: matcher });
  });

  it.each([
    ["", '"" says nothing', "node=pve*"],
    ["everything", '"everything" says nothing', "node=pve*"],
    ["all,node=nas", '"all" says nothing', "node=pve*"],
    ["node=", '"node=" says nothing', "node=pve*"],
    ["node=a=b", '"node=a=b" says nothing', "node=pve*"],
    ["name=nas", '"name=nas" says nothing', "node=pve*"],
    ["__proto__=x", "says nothing", "node=pve*"],
    ["node=nas,node=pve1", "node is given twice", "node=pve*"],
    ["node=pve9", "pve9 fits no node", "There are: pve1, pve2, nas."],
    ["node=x*", "x* fits no node", "There are: pve1, pve2, nas."],
    ["kind=link-probelm", "no kind of incident", "Did you mean link-problem? There are: down,"],
    ["kind=test", "test is no kind of incident", "There are: down,"],
    ["severity=loud", "loud is no severity", "There are: info, warning, critical."],
  ])("%j is refused with what is known", (text, message, remedy) => {
    expect(parseMatcher(text, MEMBERS)).toEqual({
      ok: false,
      error: {
        code: "usage",
        message: expect.stringContaining(message),
        remedy: expect.stringContaining(remedy),
        retry: false,
      },
    });
  });
});
