import { beforeEach, describe, expect, it } from "vitest";
import { LoneNode } from "../../test/contract/lone-node.ts";
import { MUTES_MAX } from "../core/limits.ts";
import { createMuteDesk } from "./mute-desk.ts";

const HOUR = 3_600_000;
const asked = { why: "", user: "root" };

let node: LoneNode;
let desk: ReturnType<typeof createMuteDesk>;
beforeEach(() => {
  node = new LoneNode(["a", "b", "c"]);
  desk = createMuteDesk({
    state: () => node.state,
    push: (input) => node.input(input),
  });
});

describe("maintenance", () => {
  it("is in force, and on disk, when the answer comes", async () => {
    const { maintenance, renewed } = await desk["maintenance-on"]({
      node: "b",
      forMs: 2 * HOUR,
      why: "new\ndisk",
      user: "anna",
    });
    expect(renewed).toBe(false);
    expect(maintenance).toMatchObject({ node: "b", name: "b", by: "anna@a", why: "new disk" });
    expect(Date.parse(maintenance.until ?? "") - Date.now()).toBeCloseTo(2 * HOUR, -4);
    expect([...node.disk.keys()].filter((key) => key.includes("maintenance-b"))).toHaveLength(1);
    expect((await desk["maintenance-list"]({})).maintenances).toEqual([maintenance]);
  });

  it("set again replaces what it was", async () => {
    await desk["maintenance-on"]({ node: "b", forMs: HOUR, ...asked });
    const { renewed, maintenance } = await desk["maintenance-on"]({ node: "b", ...asked, why: "longer" });
    expect({ renewed, until: maintenance.until, why: maintenance.why }).toEqual({
      renewed: true,
      until: null,
      why: "longer",
    });
    expect((await desk["maintenance-list"]({})).maintenances).toHaveLength(1);
  });

  it("is lifted, and lifting what is not there says so", async () => {
    await desk["maintenance-on"]({ node: "b", ...asked });
    expect(await desk["maintenance-off"]({ node: "b", user: "root" })).toMatchObject({
      name: "b",
      ended: true,
    });
    expect(await desk["maintenance-off"]({ node: "b", user: "root" })).toMatchObject({ ended: false });
    expect((await desk["maintenance-list"]({})).maintenances).toEqual([]);
    await desk["maintenance-on"]({ node: "b", ...asked });
    expect((await desk["maintenance-list"]({})).maintenances).toHaveLength(1);
  });

  it("of a node that is not there is refused with those that are", async () => {
    const refusal = {
      failure: {
        code: "node-unknown",
        message: "no node is named d",
        remedy: "Did you mean a? There are: a, b, c.",
      },
    };
    await expect(desk["maintenance-on"]({ node: "d", ...asked })).rejects.toMatchObject(refusal);
    await expect(desk["maintenance-off"]({ node: "d", user: "root" })).rejects.toMatchObject(refusal);
  });
});

describe("a silence", () => {
  it("is listed until it is removed, by the id it was given", async () => {
    const { silence } = await desk["silence-add"]({ matcher: "node=b,severity=warning", ...asked });
    expect(silence).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{8}$/),
      matcher: { node: "b", kind: null, severity: "warning" },
      until: null,
      by: "root@a",
    });
    const { silence: other } = await desk["silence-add"]({ matcher: "all", forMs: HOUR, ...asked });
    expect((await desk["silence-list"]({})).silences).toHaveLength(2);
    expect(await desk["silence-remove"]({ id: silence.id, user: "root" })).toMatchObject({ removed: true });
    expect(await desk["silence-remove"]({ id: silence.id, user: "root" })).toMatchObject({ removed: false });
    expect((await desk["silence-list"]({})).silences).toEqual([other]);
  });

  it("that nobody made is refused with those there are", async () => {
    const { silence } = await desk["silence-add"]({ matcher: "all", ...asked });
    await desk["maintenance-on"]({ node: "b", ...asked });
    for (const id of ["12345678", "maintenance-b"]) {
      await expect(desk["silence-remove"]({ id, user: "root" })).rejects.toMatchObject({
        failure: { code: "silence-unknown", remedy: `There are: ${silence.id}.` },
      });
    }
  });

  it("of what nobody knows is refused before it is made", async () => {
    await expect(desk["silence-add"]({ matcher: "kind=fire", ...asked })).rejects.toMatchObject({
      failure: { code: "usage" },
    });
    expect((await desk["silence-list"]({})).silences).toEqual([]);
  });

  it("too many are refused; changing and ending those there are is not", async () => {
    await desk["maintenance-on"]({ node: "b", ...asked });
    for (let made = 1; made < MUTES_MAX; made += 1) await desk["silence-add"]({ matcher: "all", ...asked });
    await expect(desk["silence-add"]({ matcher: "all", ...asked })).rejects.toMatchObject({
      failure: { code: "limit-reached" },
    });
    await expect(desk["maintenance-on"]({ node: "b", ...asked })).resolves.toMatchObject({ renewed: true });
    await expect(desk["maintenance-off"]({ node: "b", user: "root" })).resolves.toMatchObject({
      ended: true,
    });
  });
});

it("an input that the node has no room for is not answered as if it had been taken", async () => {
  const deaf = createMuteDesk({
    state: () => node.state,
    push: () => undefined,
  });
  await expect(deaf["maintenance-on"]({ node: "b", ...asked })).rejects.toMatchObject({
    failure: { code: "limit-reached", retry: true },
  });
});
