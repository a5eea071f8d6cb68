/** The joiner's side of the conversation: whom it talks to is proven before it says anything. */
import type { KeyObject, X509Certificate } from "node:crypto";
import { createPublicKey } from "node:crypto";
import { connect, type TLSSocket } from "node:tls";
import {
  certificatePin,
  leadsToRoot,
  nodeNamed,
  parseCertificate,
  parseCertificates,
} from "../adapters/pki/certificates.ts";
import { spkiPin } from "../adapters/pki/keys.ts";
import { verifyFirstRoster } from "../adapters/pki/roster-signature.ts";
import { sha256Hex } from "../kit/hash.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import { type Duration, seconds } from "../kit/time.ts";
import {
  encodeJoinLine,
  JOIN_ALPN,
  JOIN_ANSWER_BYTES_MAX,
  JOIN_EXPORTER_BYTES,
  JOIN_EXPORTER_LABEL,
  JOIN_HELLO_BYTES_MAX,
  joinProofText,
  parseJoinAnswer,
  parseJoinHello,
} from "../wire/join.ts";
import { type ParsedRoster, parseSigned, type RosterNode } from "../wire/roster.ts";
import type { JoinToken } from "../wire/token.ts";
import { JoinLines } from "./join-line.ts";
import { proveToken } from "./tokens.ts";

const CONNECT_PATIENCE: Duration = seconds(5);
const HELLO_PATIENCE: Duration = seconds(10);
/** The keymaster writes to disk and signs before it answers, and others may be ahead in its queue. */
const ANSWER_PATIENCE: Duration = seconds(30);

export interface JoinCall {
  readonly token: JoinToken;
  readonly addresses: readonly string[];
  readonly key: KeyObject;
  readonly csr: string;
  readonly progress: (text: string) => void;
}

export interface Admitted {
  readonly certificatePem: string;
  readonly roster: ParsedRoster;
  readonly self: RosterNode;
}

/** The chain a keymaster has shown, checked against the token. */
interface Authority {
  readonly intermediate: X509Certificate;
  readonly root: X509Certificate;
}

/** One attempt at one address. */
export async function callKeymaster(address: string, call: JoinCall): Promise<Result<Admitted>> {
  const connected = await connectTo(address);
  if (!connected.ok) return connected;
  const socket = connected.value;
  const lines = new JoinLines(socket);
  try {
    const authority = await proveKeymaster(address, socket, lines, call.token);
    if (!authority.ok) return authority;
    // Node cannot export from a connection that is gone.
    if (socket.destroyed) {
      return failure("keymaster-unreachable", `${address}: it hung up; it may be busy`, undefined, true);
    }
    call.progress(`${address} is the keymaster the token names; asking to join as ${call.token.name}`);
    socket.write(encodeJoinLine(requestFor(socket, call)));
    const line = await lines.next(JOIN_ANSWER_BYTES_MAX, ANSWER_PATIENCE);
    if (!line.ok) return line;
    const answer = parseJoinAnswer(line.value);
    if (!answer.ok) return answer;
    return answer.value.ok
      ? checkAdmission(answer.value, authority.value, call)
      : { ok: false, error: answer.value.error };
  } finally {
    socket.destroy();
  }
}

function connectTo(address: string): Promise<Result<TLSSocket>> {
  const split = address.lastIndexOf(":");
  const host = address.slice(0, split).replace(/^\[|\]$/g, "");
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port: Number(address.slice(split + 1)),
      ALPNProtocols: [JOIN_ALPN],
      minVersion: "TLSv1.3",
      // No authority is known yet: key and root are checked against the token's pins in proveKeymaster.
      rejectUnauthorized: false,
    });
    const give = (reason: string): void => {
      clearTimeout(timer);
      socket.destroy();
      const remedy = "Check that the keymaster's daemon runs and that its port is reachable from here.";
      resolve(failure("keymaster-unreachable", `${address}: ${reason}`, remedy, true));
    };
    const timer = setTimeout(() => give("no connection in time"), CONNECT_PATIENCE);
    socket.on("error", (error: Error) =>
      give(`no connection (${"code" in error ? error.code : error.message})`),
    );
    socket.once("secureConnect", () => {
      clearTimeout(timer);
      resolve(ok(socket));
    });
  });
}

/** Nothing has been sent when this fails, with `certificate-invalid` or `protocol-violation`. */
async function proveKeymaster(
  address: string,
  socket: TLSSocket,
  lines: JoinLines,
  token: JoinToken,
): Promise<Result<Authority>> {
  const remedy = "Check the address, or make a new token on the keymaster; nothing was sent to this server.";
  if (socket.alpnProtocol !== JOIN_ALPN) {
    return failure("protocol-violation", `${address} does not speak the join protocol`, remedy);
  }
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined || certificatePin(leaf) !== token.keymaster) {
    return failure(
      "certificate-invalid",
      `${address} is not the keymaster the token names: it has another key`,
      remedy,
    );
  }
  const line = await lines.next(JOIN_HELLO_BYTES_MAX, HELLO_PATIENCE);
  if (!line.ok)
    return failure(line.error.code, `${address}: ${line.error.message}`, undefined, line.error.retry);
  const hello = parseJoinHello(line.value);
  if (!hello.ok) return hello;
  const intermediate = parseCertificate(hello.value.intermediate);
  const root = parseCertificate(hello.value.root);
  if (!intermediate.ok || !root.ok || !leadsToRoot(leaf, intermediate.value, root.value, token.root)) {
    return failure(
      "certificate-invalid",
      `${address} does not belong to the mesh the token names: it has another root`,
      remedy,
    );
  }
  return ok({ intermediate: intermediate.value, root: root.value });
}

function requestFor(
  socket: TLSSocket,
  { token, addresses, csr }: JoinCall,
): Parameters<typeof encodeJoinLine>[0] {
  const exporter = socket.exportKeyingMaterial(JOIN_EXPORTER_BYTES, JOIN_EXPORTER_LABEL, Buffer.alloc(0));
  const { id, name } = token;
  const exporterHex = exporter.toString("hex");
  const proofText = joinProofText({ exporterHex, csrSha256: sha256Hex(csr), token: id, name, addresses });
  return { schema: 1, token: id, name, addresses, csr, proof: proveToken(token.secret, id, proofText) };
}

/** A keymaster may be wrong as well: what it hands out is checked before it becomes this host's identity. */
function checkAdmission(
  answer: { readonly certificate: string; readonly roster: string },
  authority: Authority,
  { token, key }: JoinCall,
): Result<Admitted> {
  const chain = parseCertificates(answer.certificate);
  if (!chain.ok) return chain;
  const [leaf, intermediate] = chain.value;
  const pin = spkiPin(createPublicKey(key));
  const genuine =
    leaf !== undefined &&
    intermediate !== undefined &&
    certificatePin(leaf) === pin &&
    leadsToRoot(leaf, intermediate, authority.root, token.root);
  if (!genuine)
    return failure(
      "certificate-invalid",
      "the certificate received is not for this host's key, or not by this mesh",
    );
  const named = nodeNamed(leaf);
  if (named?.mesh !== token.mesh)
    return failure("certificate-invalid", "the certificate received names another mesh");
  const parsed = parseSigned(answer.roster);
  if (!parsed.ok) return parsed;
  const roster = verifyFirstRoster(parsed.value, token.mesh, token.root);
  if (!roster.ok) return roster;
  const self = roster.value.roster.nodes.find((node) => node.id === named.node);
  if (self?.pin !== pin || self.name !== token.name) {
    return failure("roster-refused", "the roster received does not hold this host");
  }
  return ok({ certificatePem: answer.certificate, roster: roster.value, self });
}
