import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CHANNEL_TYPES } from "./channel-config.ts";
import { parseConfig } from "./config.ts";
import { CONFIG_PROBLEMS_MAX, type ConfigProblem, formatProblems } from "./config-problems.ts";
import { CONFIG_BYTES_MAX } from "./config-schema.ts";

const problemsOf = (text: string, scope: "file" | "shared" = "file"): readonly ConfigProblem[] => {
  const parsed = parseConfig(text, "config.yaml", scope);
  return parsed.ok ? [] : parsed.problems;
};
const brief = (text: string, scope: "file" | "shared" = "file"): string[] =>
  problemsOf(text, scope).map(({ line, column, message, fix }) => `${line}:${column} ${message} | ${fix}`);

const GOOD = `# the whole of it
channels:
  - name: phone
    type: webhook
    url: https://ntfy.example/topic
    secret: eight-or-more
    headers: {Authorization: Bearer abc}
    timeout: 10s
policy:
  daemonDown:
    grace: 1m30s
mesh: {beat: 100ms}
log: {level: debug}
`;

describe("a good file", () => {
  it("is read with durations as milliseconds", () => {
    expect(parseConfig(GOOD, "config.yaml")).toEqual({
      ok: true,
      config: {
        channels: [
          {
            name: "phone",
            type: "webhook",
            url: "https://ntfy.example/topic",
            secret: "eight-or-more",
            headers: { Authorization: "Bearer abc" },
            timeout: "10s",
          },
        ],
        settings: { "policy.daemonDown.grace": 90_000, "mesh.beat": 100, "log.level": "debug" },
      },
    });
  });

  it.each([
    ["nothing", ""],
    ["a comment", "# nothing yet\n"],
    [
      "empty sections, as they are left when their content is commented out",
      "channels:\npolicy:\n  daemonDown:\n  flap:\n  quietHours:\n  nodes:\nmesh:\nlog:\n",
    ],
    ["Windows line ends and a byte order mark", "\ufeffmesh:\r\n  beat: 200ms\r\n"],
    ["the least beat", "mesh: {beat: 50ms}"],
    ["the longest beat", "mesh: {beat: 5s}"],
    ["no grace at all", "policy: {daemonDown: {grace: 0s}, linkProblem: {grace: 0s}}"],
    ["no end of a grace in sight", "policy: {planned: {grace: 7d}, missing: {after: 24h}}"],
    ["an address of IPv6", 'http: {listen: "[::1]:0"}'],
    ["no HTTP port", "http: {listen: off}"],
    ["the word off", "policy: {flap: off, quietHours: off}"],
    [
      "times of day that YAML takes for text",
      "policy: {quietHours: {from: 22:00, to: 7:00, timezone: UTC, severity: critical}}",
    ],
    ["no sensors, no history", "sensors: {watch: off}\nhistory: off"],
    ["a history of its own size", "history: {size: 1GiB, flush: 10m}"],
    ["an empty list of rules", "sensors:\n  rules:\nhistory:\n"],
    [
      "a rule of one setting, and one of all",
      'sensors: {rules: [{warning: -40}, {node: "pve*", class: nvme, sensor: "*temp1", warning: 60.5, critical: 150, hysteresis: 0, sustain: 0s, ignore: false}]}',
    ],
    ["hosts by their names", "policy: {nodes: {pve-1: {expected: sometimes}, 3com: {expected: always}}}"],
  ])("may hold %s", (_, text) => {
    expect(brief(text)).toEqual([]);
  });
});

describe("a fallback that is not in the document", () => {
  const text = "channels: [{name: own, type: webhook, url: https://x.example, fallback: shard}]";

  it("is accepted in a node's own file, for it may be among the shared channels", () => {
    expect(parseConfig(text, "config.yaml")).toMatchObject({ ok: true });
  });

  it("is refused in the shared document, for not every node has another", () => {
    const both = text.replace("]", ", {name: shared, type: webhook, url: https://y.example}]");
    for (const [document, fix] of [
      [text, "Name a channel of this document: not every node has another."],
      [both, "Did you mean shared?"],
    ] as const) {
      expect(parseConfig(document, "shared", "shared")).toMatchObject({
        problems: [{ message: 'channels[0].fallback: "shard" is no channel of this document', fix }],
      });
    }
  });
});

describe("what is wrong is named with its place and the fix", () => {
  const webhook = (rest: string): string => `channels:\n  - name: a\n    type: webhook\n${rest}`;
  it.each([
    ["an unknown key", "chanels: []", ['1:1 "chanels" is not a known key | Did you mean channels?']],
    [
      "a key like no other",
      "zebra: 1",
      [
        '1:1 "zebra" is not a known key | Remove it; known keys here: channels, policy, mesh, http, sensors, history, log.',
      ],
    ],
    [
      "an unknown key further down",
      "policy:\n  daemondown: {}",
      ['2:3 "daemondown" is not a known key of policy | Did you mean daemonDown?'],
    ],
    [
      "an unknown key of a channel",
      webhook("    url: https://x.example\n    tiemout: 3s"),
      ['5:5 "tiemout" is not a known key of channels[0] | Did you mean timeout?'],
    ],
    [
      "a list where a map belongs",
      "- a",
      [
        "1:1 the file must be a map, not a list | Write its settings as `key: value` lines, indented below it.",
      ],
    ],
    [
      "a map where a list belongs",
      "channels:\n  name: a",
      ["2:3 channels must be a list, not a map | Begin each item with `- `."],
    ],
    [
      "a number where text belongs",
      webhook("    url: 5"),
      ["4:10 channels[0].url must be text, not a number | Put it into quotes, to make it text."],
    ],
    [
      "what is missing",
      webhook(""),
      ["2:5 channels[0].url is missing | Add url: https://ntfy.example/topic"],
    ],
    [
      "a type of channel there is not",
      "channels:\n  - {name: a, type: webhok}",
      [`2:21 channels[0].type: "webhok" is not one of ${CHANNEL_TYPES.join(", ")} | Did you mean webhook?`],
    ],
    [
      "a bad URL",
      webhook("    url: ntfy.example"),
      ["4:10 channels[0].url: must begin with https:// or http:// | Write url: https://ntfy.example/topic"],
    ],
    [
      "a bare number as a duration",
      "mesh: {beat: 200}",
      [
        "1:14 mesh.beat: a duration needs a unit | Write the unit behind the number: ms, s, m, h or d (50ms to 5s).",
      ],
    ],
    [
      "what is no duration",
      "mesh: {beat: soon}",
      [
        "1:14 mesh.beat: this is not a duration | Write a number and a unit, such as 200ms, 15s or 10m (50ms to 5s).",
      ],
    ],
    [
      "a beat too fast",
      "mesh: {beat: 49ms}",
      ["1:14 mesh.beat: 49ms is shorter than 50ms | Write a duration from 50ms to 5s."],
    ],
    [
      "a beat too slow",
      "mesh: {beat: 5001ms}",
      ["1:14 mesh.beat: 5001ms is longer than 5s | Write a duration from 50ms to 5s."],
    ],
    [
      "a grace too long",
      "policy: {daemonDown: {grace: 2h}}",
      ["1:30 policy.daemonDown.grace: 2h is longer than 60m | Write a duration from 0s to 60m."],
    ],
    [
      "a value where off or a map belongs",
      "policy: {flap: false}",
      [
        "1:16 policy.flap must be off or a map, not a boolean | Write `off`, or its settings as `key: value` lines, indented below it.",
      ],
    ],
    [
      "what is wrong within a map that could be off",
      "policy:\n  flap: {windwo: 3m}\n  quietHours: {from: 25:00, to: 07:00, timezone: Berlin, severity: warn}",
      [
        '2:10 "windwo" is not a known key of policy.flap | Did you mean window?',
        '3:22 policy.quietHours.from: this is not a time of day | Write hour and minute, from "00:00" to "23:59".',
        "3:50 policy.quietHours.timezone: this is not a time zone that is known here | Write its IANA name, such as Europe/Berlin or UTC; `timedatectl list-timezones` has all.",
        '3:68 policy.quietHours.severity: "warn" is not one of info, warning, critical | Write one of info, warning, critical.',
      ],
    ],
    [
      "quiet hours without a time zone",
      "policy:\n  quietHours: {from: 22:00, to: 07:00}",
      ["2:15 policy.quietHours.timezone is missing | Add timezone: Europe/Berlin"],
    ],
    [
      "quiet hours without an end",
      "policy:\n  quietHours: {from: 22:00, to: 22:00, timezone: UTC}",
      [
        "2:33 policy.quietHours.to: they end when they begin | Give them an end; `balefire silence add` holds messages back all day.",
      ],
    ],
    [
      "what is expected of a host",
      "policy:\n  nodes: {pve1: {expected: sometime}, pve3: {expcted: always}}",
      [
        '2:28 policy.nodes.pve1.expected: "sometime" is not one of always, sometimes | Did you mean sometimes?',
        '2:46 "expcted" is not a known key of policy.nodes.pve3 | Did you mean expected?',
      ],
    ],
    [
      "a name that no host can have",
      "policy:\n  nodes: {pve1: {}, Pve_2: {}}",
      ["2:28 policy.nodes.Pve_2: no node can have this name | Write the name that `balefire nodes` shows."],
    ],
    [
      "a level there is not",
      "log: {level: warn}",
      [
        '1:14 log.level: "warn" is not one of error, warning, info, debug | Write one of error, warning, info, debug.',
      ],
    ],
    [
      "a port that others can reach",
      "http: {listen: 10.0.0.1:7655}",
      [
        "1:16 http.listen: 10.0.0.1:7655 is not loopback, and nobody has to log in yet | Loopback only until an account exists: write an address such as 127.0.0.1:7655 or [::1]:7655, or off.",
      ],
    ],
    [
      "a port of a host by its name",
      "http: {listen: localhost:7655}",
      [
        "1:16 http.listen: this is not an IP address with a port | Write an address and a port, such as 127.0.0.1:7655 or [::1]:7655, or off.",
      ],
    ],
    [
      "a value left empty",
      "mesh: {beat: }",
      [
        "1:14 mesh.beat: this is not a duration | Write a number and a unit, such as 200ms, 15s or 10m (50ms to 5s).",
      ],
    ],
    [
      "one name for two channels",
      "channels:\n  - {name: a, type: webhook, url: https://x.example}\n  - {name: a, type: webhook, url: https://y.example}",
      [
        '3:12 channels[1].name: "a" is already the name of channels[0] | Give each channel a name of its own.',
      ],
    ],
    [
      "a channel that is its own fallback",
      "channels:\n  - {name: a, type: webhook, url: https://x.example, fallback: a}",
      ['2:64 channels[0].fallback: "a" is the channel itself | Name another channel, or leave it out.'],
    ],
    [
      "fallbacks in a circle",
      `channels:\n${["ab", "bc", "cb"].map(([name, fallback]) => `  - {name: ${name}, type: webhook, url: https://x.example, fallback: ${fallback}}`).join("\n")}`,
      [
        '3:64 channels[1].fallback: "c" leads back to this channel by its own fallbacks | Let the last of them have no fallback.',
        '4:64 channels[2].fallback: "b" leads back to this channel by its own fallbacks | Let the last of them have no fallback.',
      ],
    ],
    [
      "a severity there is not",
      "channels:\n  - {name: a, type: webhook, url: https://x.example, minSeverity: critcal}",
      [
        '2:67 channels[0].minSeverity: "critcal" is not one of info, warning, critical | Did you mean critical?',
      ],
    ],
    [
      "a test message as a kind that is told",
      "channels:\n  - {name: a, type: webhook, url: https://x.example, kinds: [down, test]}",
      [
        '2:68 channels[0].kinds[1]: "test" is not one of down, daemon-down, missing, link-problem, flapping, heat, certificate, clock, revoked, restarted, cut-off, planned | Write one of down, daemon-down, missing, link-problem, flapping, heat, certificate, clock, revoked, restarted, cut-off, planned.',
      ],
    ],
    [
      "limits in the wrong order",
      "sensors: {rules: [{class: nvme, warning: 80, critical: 80}]}",
      [
        "1:42 sensors.rules[0].warning: it is not below `critical` | Warn before it is critical: write a lower one.",
      ],
    ],
    [
      "a limit that no sensor can reach",
      "sensors: {rules: [{critical: 151}, {warning: hot}]}",
      [
        "1:30 sensors.rules[0].critical: 151 is more than can be | Write a number from -40 to 150 °C.",
        "1:46 sensors.rules[1].warning: this is not a number | Write a number from -40 to 150 °C.",
      ],
    ],
    [
      "a class of sensors that there is not",
      "sensors: {rules: [{class: nvm, ignore: true}]}",
      [
        '1:27 sensors.rules[0].class: "nvm" is not one of cpu, nvme, ssd, hdd, gpu, memory, board, ambient, fan | Did you mean nvme?',
      ],
    ],
    [
      "a rule without an effect",
      "sensors: {rules: [{node: pve1}]}",
      [
        "1:19 sensors.rules[0]: it sets nothing | Add one of warning, critical, hysteresis, sustain, ignore, or remove the rule.",
      ],
    ],
    [
      "sizes and folders that are none",
      "history: {size: 1MB}\nsensors: {sysfsRoot: sys, every: 100ms}",
      [
        "1:17 history.size: this is not a size | Write a whole number with KiB, MiB, GiB or TiB behind it, from 1MiB to 64GiB.",
        "2:22 sensors.sysfsRoot: this is not a path from the root | Write the whole path of a folder, from its first /.",
        "2:34 sensors.every: 100ms is shorter than 200ms | Write a duration from 200ms to 5m.",
      ],
    ],
    [
      "a history too small to be one",
      "history: {size: 512KiB}",
      ["1:17 history.size: 512KiB is less than can be | Write a size from 1MiB to 64GiB."],
    ],
    ["a key given twice", "mesh: {}\nmesh: {}", ["2:1 this key is given twice | Keep one of the two."]],
    ["a tab", "mesh:\n\tbeat: 1s", ["2:1 a tab is used as indentation | Indent with spaces."]],
    [
      "two documents",
      "mesh: {}\n---\nlog: {}",
      ["2:1 a second document begins here | Remove the line `---`: one file holds one document."],
    ],
    [
      "an unknown tag",
      "mesh: !duration {}",
      ["1:7 tags are not used here | Remove the word that begins with `!`, or put it into quotes."],
    ],
  ])("%s", (_, text, expected) => {
    expect(brief(text)).toEqual(expected);
  });

  it("all at once, in the order of the file", () => {
    expect(brief("log: {level: x}\nmesh: {beat: 1}\nfoo: 1").map((text) => text.split(" ")[0])).toEqual([
      "1:14",
      "2:14",
      "3:1",
    ]);
  });

  it("no more than the limit", () => {
    const text = Array.from({ length: 100 }, (_, index) => `key${index}: 1`).join("\n");
    const problems = problemsOf(text);
    expect(problems).toHaveLength(CONFIG_PROBLEMS_MAX);
    expect(formatProblems(problems)).toContain(`Only the first ${CONFIG_PROBLEMS_MAX}`);
  });

  it("with the line and a caret below the place", () => {
    expect(formatProblems(problemsOf("mesh:\n  baet: 1s\n"))).toBe(
      [
        'config.yaml:2:3: "baet" is not a known key of mesh',
        "      baet: ***",
        "      ^",
        "  fix: Did you mean beat?",
      ].join("\n"),
    );
  });

  it("cut to a terminal's width around the caret", () => {
    const [problem] = problemsOf(`mesh: {${" ".repeat(200)}beat: 1ms}`);
    const [line = "", caret = ""] = (problem?.excerpt ?? "").split("\n");
    expect(line.length).toBeLessThanOrEqual(72);
    expect(line.slice(caret.indexOf("^"))).toMatch(/^1ms/);
  });
});

describe("the shared document", () => {
  it("holds channels, policy and mesh", () => {
    expect(brief(GOOD.replace(/^log:.*\n/m, ""), "shared")).toEqual([]);
  });
  it("refuses what belongs to one node", () => {
    expect(brief("log: {level: info}", "shared")).toEqual([
      '1:1 "log" is not a known key | Leave it out: it belongs to one node; set it in that node\'s own file.',
    ]);
  });
  it("holds rules about sensors, and not whether a node reads them", () => {
    expect(brief("sensors: {every: 5s, rules: [{ignore: true}]}", "shared")).toEqual([]);
    expect(brief("sensors: {watch: off}\nhistory: off", "shared")).toEqual([
      '1:11 "watch" is not a known key of sensors | Leave it out: it belongs to one node; set it in that node\'s own file.',
      '2:1 "history" is not a known key | Leave it out: it belongs to one node; set it in that node\'s own file.',
    ]);
  });
});

describe("whatever the text", () => {
  it("parsing never throws", () => {
    const yamlish = fc.string({
      unit: fc.constantFrom(
        ..."{}[],:-?#&*!|>'\"%@` \n\tab0~.<=",
        "channels",
        "- ",
        ": ",
        "\n  ",
        "&a ",
        "*a",
      ),
      maxLength: 60,
    });
    fc.assert(
      fc.property(fc.oneof(yamlish, fc.string({ unit: "binary" })), (text) => {
        for (const { line, column } of problemsOf(text)) {
          expect(line).toBeGreaterThan(0);
          expect(column).toBeGreaterThan(0);
        }
      }),
      { numRuns: 800 },
    );
  });

  it.each([
    ["too long", `# ${"x".repeat(CONFIG_BYTES_MAX)}`],
    ["nested too deeply", "[".repeat(50_000)],
    ["nested too deeply, and closed", `channels: ${"[".repeat(2000)}${"]".repeat(2000)}`],
    ["a key within a key within a key", "? ".repeat(2000)],
    ["a list within a list within a list", "- ".repeat(2000)],
    ["an alias within itself", "channels: &c [*c]"],
    [
      "aliases that multiply",
      `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefgh"
        .split("")
        .map((name, index) => `${name}: &${name} [${`*${"abcdefg"[index]},`.repeat(9)}]`)
        .join("\n")}`,
    ],
    ["a prototype's key", "__proto__: {channels: 5}\nconstructor: 1"],
    ["a key that is a map", "{a: b}: c"],
  ])("%s is refused", (_, text) => {
    expect(problemsOf(text)).not.toEqual([]);
  });
});

describe("a secret", () => {
  const SECRET = "Zq9SeCrEtQz7";
  const file = [
    "channels:",
    "  - name: phone",
    "    type: webhook",
    `    url: https://u:${SECRET}@ntfy.example/${SECRET}?k=${SECRET}`,
    `    secret: ${SECRET}`,
    `    headers: {Authorization: "Bearer ${SECRET}"}`,
    `    template: '{"text": "{{text}} ${SECRET}"}'`,
    "    timeout: 10s",
    `# old one: ${SECRET}`,
    "mesh: {beat: 200ms}",
    "",
  ].join("\n");

  it("stands in a file that is good", () => {
    expect(brief(file)).toEqual([]);
  });

  it("is in no warning of the process", async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on("warning", note);
    problemsOf(`{secret: ${SECRET}}: {}`);
    problemsOf(`? [${SECRET}]\n: 5`);
    await new Promise((resolve) => setImmediate(resolve));
    process.off("warning", note);
    expect(warnings).toEqual([]);
  });

  it("is in no message, whichever characters of the file are mistyped", () => {
    const edit = fc.record({
      at: fc.nat(file.length),
      remove: fc.nat(2),
      insert: fc.constantFrom(
        "",
        "\n",
        " ",
        ":",
        ": ",
        "- ",
        '"',
        "'",
        "#",
        "{",
        "}",
        "[",
        "]",
        ",",
        "|",
        "x",
        "\t",
        "&",
        "*",
        "!",
        "?",
      ),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let text = file;
        for (const { at, remove, insert } of edits)
          text = text.slice(0, at) + insert + text.slice(at + remove);
        expect(JSON.stringify(problemsOf(text))).not.toContain(SECRET);
      }),
      { numRuns: 1500 },
    );
  });

  it.each([
    ["under a mistyped key", `channels:\n  - {name: a, type: webhook, sercet: ${SECRET}}`],
    [
      "as a header's name",
      `channels:\n  - {name: a, type: webhook, url: "https://x", headers: {"Bearer ${SECRET}": x}}`,
    ],
    ["in place of a list", `channels: ${SECRET}`],
    ["in place of a map", `mesh: ${SECRET}`],
    ["behind a missing space", `channels:\n  - name: a\n    type: webhook\n    secret:${SECRET}`],
    ["on a line of its own", `channels:\n  - name: a\n    type: webhook\n    secret:\n${SECRET}`],
    ["continuing a value that may be shown", `channels:\n  - name: a\n    type: webhok\n      ${SECRET}`],
    [
      "continuing a value on the line of another problem",
      `channels:\n  - {type: webhook, url: https://x.example, name: a\n      ${SECRET}, tipe: x}`,
    ],
    ["in a URL where a name belongs", `channels:\n  - name: https://x/${SECRET}\n    type: webhook`],
  ])("is not echoed %s", (_, text) => {
    expect(problemsOf(text)).not.toEqual([]);
    expect(formatProblems(problemsOf(text))).not.toContain(SECRET);
  });
});
