/** This node's key and certificate: read and checked as one, the certificate replaced when it is renewed. */
import type { KeyObject, X509Certificate } from "node:crypto";
import {
  type CertificateFacts,
  certificateFacts,
  certificatePin,
  issuedBy,
  nodeNamed,
  parseCertificate,
  parseCertificates,
} from "../adapters/pki/certificates.ts";
import { createCsr } from "../adapters/pki/csr.ts";
import { keyMatches, parsePrivateKey } from "../adapters/pki/keys.ts";
import type { StateFolder } from "../adapters/state/folder.ts";
import { isImprovement } from "../core/pki/renewal.ts";
import { failure, ok, type Result } from "../kit/result.ts";
import type { WallTime } from "../kit/time.ts";
import type { RosterKeeper } from "./roster-keeper.ts";
import { NODE_CERTIFICATE_FILE, NODE_FILE, NODE_KEY_FILE } from "./state-files.ts";

interface Self {
  readonly mesh: string;
  readonly id: string;
}

/**
 * The key stays for the node's life in its mesh, so a renewal replaces one file, and whenever the
 * process dies the old certificate or the new one lies there, whole, beside the key of both.
 */
export class OwnCertificate {
  readonly keyPem: string;
  /** The key's, as the roster names it. */
  readonly pin: string;
  readonly #folder: StateFolder;
  readonly #self: Self;
  readonly #keeper: RosterKeeper;
  readonly #key: KeyObject;
  #pem: string;
  #facts: CertificateFacts;

  private constructor(
    folder: StateFolder,
    self: Self,
    keeper: RosterKeeper,
    key: { readonly pem: string; readonly object: KeyObject },
    held: { readonly pem: string; readonly leaf: X509Certificate },
  ) {
    this.#folder = folder;
    this.#self = self;
    this.#keeper = keeper;
    this.#key = key.object;
    this.keyPem = key.pem;
    this.#pem = held.pem;
    this.#facts = certificateFacts(held.leaf);
    this.pin = certificatePin(held.leaf);
  }

  /** Fails with `state-missing`, `state-corrupt` or `state-permissions`, naming the file. */
  static async load(folder: StateFolder, self: Self, keeper: RosterKeeper): Promise<Result<OwnCertificate>> {
    const keyPath = `${folder.path}/${NODE_KEY_FILE}`;
    const certificatePath = `${folder.path}/${NODE_CERTIFICATE_FILE}`;
    const { remedy } = NODE_FILE;
    const keyText = await folder.readSecret(NODE_KEY_FILE);
    if (!keyText.ok) return keyText;
    const text = await folder.readText(NODE_CERTIFICATE_FILE);
    if (!text.ok) return text;
    if (keyText.value === undefined) return failure("state-missing", `${keyPath} is missing`, remedy);
    if (text.value === undefined) return failure("state-missing", `${certificatePath} is missing`, remedy);
    const key = parsePrivateKey(keyText.value, keyPath);
    if (!key.ok) return key;
    const leaf = ownLeaf(text.value, self, keeper);
    if (!leaf.ok) return failure("state-corrupt", `${certificatePath}${leaf.error.message}`, remedy);
    if (!keyMatches(key.value, leaf.value.publicKey)) {
      return failure("state-corrupt", `${keyPath} and ${certificatePath} do not belong together`, remedy);
    }
    const pair = { pem: keyText.value, object: key.value };
    return ok(new OwnCertificate(folder, self, keeper, pair, { pem: text.value, leaf: leaf.value }));
  }

  /** Leaf, then intermediate. */
  get pem(): string {
    return this.#pem;
  }

  get facts(): CertificateFacts {
    return this.#facts;
  }

  /** False: by a key that may issue nothing any more. Members go by the roster, other tools do not. */
  isByASuccessor(): boolean {
    const leaf = parseCertificate(this.#pem);
    return leaf.ok && isByOneOf(leaf.value, this.#keeper.current().roster.succession);
  }

  /** A request for the next one, with the same key. */
  request(): string {
    return createCsr(this.#key);
  }

  /**
   * On disk when it resolves to ok. A keymaster may be wrong as well, so what it sent is checked
   * first: fails with `certificate-invalid`, or with what kept it from being written.
   */
  async replace(pem: string, now: WallTime): Promise<Result<void>> {
    const leaf = ownLeaf(pem, this.#self, this.#keeper);
    if (!leaf.ok) return failure("certificate-invalid", `the new certificate${leaf.error.message}`);
    if (certificatePin(leaf.value) !== this.pin)
      return failure("certificate-invalid", "the new certificate is for another key than this node's");
    const facts = certificateFacts(leaf.value);
    if (!isImprovement(this.#facts, facts, now)) {
      const remedy = "Compare the clocks of this host and the keymaster: `timedatectl`.";
      return failure("certificate-invalid", "the new certificate does not hold by this host's clock", remedy);
    }
    const written = await this.#folder.writeText(NODE_CERTIFICATE_FILE, pem);
    if (!written.ok) return written;
    this.#pem = pem;
    this.#facts = facts;
    return ok(undefined);
  }
}

/** The leaf of a chain that names this node of this mesh; else a message that goes on after what it is about. */
function ownLeaf(pem: string, self: Self, keeper: RosterKeeper): Result<X509Certificate> {
  const chain = parseCertificates(pem);
  if (!chain.ok) return failure("certificate-invalid", `: ${chain.error.message}`);
  const [leaf, intermediate] = chain.value;
  if (leaf === undefined || intermediate === undefined || !vouchedFor(leaf, intermediate, keeper))
    return failure("certificate-invalid", ": its signatures do not lead to this mesh's root");
  const named = nodeNamed(leaf);
  if (named?.mesh !== self.mesh || named.node !== self.id)
    return failure("certificate-invalid", " is not for this node of this mesh");
  return ok(leaf);
}

/** By the intermediate beside it, or, when its root is gone from the mesh, by a newer one of the same key. */
function vouchedFor(leaf: X509Certificate, intermediate: X509Certificate, keeper: RosterKeeper): boolean {
  if (leaf.ca) return false;
  const { roots, succession } = keeper.current().roster;
  // The roster was verified: whoever is in its succession leads to one of its roots.
  return isByOneOf(leaf, succession) || (issuedBy(leaf, intermediate) && isByOneOf(intermediate, roots));
}

const isByOneOf = (subject: X509Certificate, issuers: readonly { readonly certificate: string }[]): boolean =>
  issuers.some(({ certificate }) => {
    const parsed = parseCertificate(certificate);
    return parsed.ok && issuedBy(subject, parsed.value);
  });
