/** A joiner of one's own, for saying what the shipped one never would. */
import type { KeyObject } from "node:crypto";
import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import { createCsr } from "../../src/adapters/pki/csr.ts";
import { generateKey } from "../../src/adapters/pki/keys.ts";
import { JoinLines } from "../../src/daemon/join-line.ts";
import { proveToken } from "../../src/daemon/tokens.ts";
import { sha256Hex } from "../../src/kit/hash.ts";
import { unwrap } from "../../src/kit/result.ts";
import { seconds } from "../../src/kit/time.ts";
import {
  encodeJoinLine,
  JOIN_ALPN,
  JOIN_ANSWER_BYTES_MAX,
  JOIN_EXPORTER_LABEL,
  type JoinAnswer,
  type JoinRequest,
  joinProofText,
  parseJoinAnswer,
} from "../../src/wire/join.ts";
import { parseToken } from "../../src/wire/token.ts";
import { afterThisTest } from "./join-rig.ts";

export interface Call {
  readonly socket: TLSSocket;
  readonly lines: JoinLines;
  readonly exporterHex: string;
}

/** Connected, greeted, silent. */
export async function callUp(address: string): Promise<Call> {
  const [host = "", port] = address.split(":");
  const options = { host, port: Number(port), ALPNProtocols: [JOIN_ALPN], rejectUnauthorized: false };
  const socket = connect(options);
  afterThisTest(() => {
    socket.destroy();
  });
  await once(socket, "secureConnect");
  const lines = new JoinLines(socket);
  unwrap(await lines.next(JOIN_ANSWER_BYTES_MAX, seconds(5)));
  const exporter = socket.exportKeyingMaterial(32, JOIN_EXPORTER_LABEL, Buffer.alloc(0));
  return { socket, lines, exporterHex: exporter.toString("hex") };
}

export interface Claim {
  readonly name?: string;
  readonly addresses?: readonly string[];
  readonly key?: KeyObject;
  readonly csr?: string;
  readonly secret?: Uint8Array;
}

/** A request that the token's holder could make on this connection, whatever it claims. */
export async function requestBy(
  tokenLine: string,
  exporterHex: string,
  claim: Claim = {},
): Promise<JoinRequest> {
  const token = unwrap(parseToken(tokenLine));
  const csr = claim.csr ?? createCsr(claim.key ?? generateKey());
  const { id, name } = { ...token, ...claim };
  const addresses = claim.addresses ?? ["127.0.0.9:7654"];
  const proofText = joinProofText({ exporterHex, csrSha256: sha256Hex(csr), token: id, name, addresses });
  return {
    schema: 1,
    token: id,
    name,
    addresses,
    csr,
    proof: proveToken(claim.secret ?? token.secret, id, proofText),
  };
}

export async function ask({ socket, lines }: Call, request: JoinRequest): Promise<JoinAnswer> {
  socket.write(encodeJoinLine(request));
  return unwrap(parseJoinAnswer(unwrap(await lines.next(JOIN_ANSWER_BYTES_MAX, seconds(10)))));
}

export async function askAs(address: string, tokenLine: string, claim: Claim = {}): Promise<JoinAnswer> {
  const call = await callUp(address);
  return ask(call, await requestBy(tokenLine, call.exporterHex, claim));
}
