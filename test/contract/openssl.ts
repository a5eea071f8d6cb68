/** OpenSSL's command line as a second opinion on what Balefire issues, in a folder of its own. */
import { spawnSync } from "node:child_process";
import type { KeyObject } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Answer {
  readonly ok: boolean;
  /** Standard output, then standard error. */
  readonly said: string;
}

/** What a certificate is made of that OpenSSL issues; `extensions` as in its configuration files. */
export interface Forgery {
  readonly issuer: { readonly key: KeyObject; readonly certificate: string };
  readonly key: KeyObject;
  readonly subject?: string;
  readonly extensions: readonly string[];
}

export class Openssl {
  readonly #folder = mkdtempSync(join(tmpdir(), "balefire-openssl-"));
  #files = 0;

  /** A file with this content; its path. */
  file(content: string | KeyObject): string {
    const path = join(this.#folder, `${this.#files++}.pem`);
    const text = typeof content === "string" ? content : content.export({ type: "pkcs8", format: "pem" });
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  run(...words: string[]): Answer {
    const { status, stdout, stderr } = spawnSync("openssl", words, { encoding: "utf8", timeout: 20_000 });
    return { ok: status === 0, said: stdout + stderr };
  }

  /** The strictest verification there is; `more`: its own words, such as `-crl_check`. */
  verify(
    chain: { readonly roots: string; readonly signers: string; readonly leaf: string },
    ...more: string[]
  ): Answer {
    return this.run(
      ...["verify", "-x509_strict", "-check_ss_sig", ...more, "-CAfile", this.file(chain.roots)],
      ...["-untrusted", this.file(chain.signers), this.file(chain.leaf)],
    );
  }

  /** What an issuer's key could be made to sign by somebody who does not use Balefire for it. */
  forge({ issuer, key, subject = "/CN=forged", extensions }: Forgery): string {
    const request = this.run("req", "-new", "-key", this.file(key), "-subj", subject);
    const standard = ["subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid"];
    const { ok, said } = this.run(
      ...["x509", "-req", "-in", this.file(request.said), "-days", "2", "-CA", this.file(issuer.certificate)],
      ...["-CAkey", this.file(issuer.key), "-extfile", this.file([...standard, ...extensions].join("\n"))],
    );
    const pem = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/.exec(said)?.[0];
    if (!ok || pem === undefined) throw new Error(`openssl could not issue: ${said}`);
    return pem;
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
