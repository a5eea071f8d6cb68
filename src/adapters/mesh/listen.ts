/** Binds every own address, or says in a sentence why one cannot be bound. */
import type { Address } from "../../core/types.ts";
import { type Failure, FailureError } from "../../kit/result.ts";
import type { DatagramPort } from "./datagram-port.ts";
import type { Door } from "./door.ts";
import { ipAddressParts } from "./socket-address.ts";

/** All of them or none. Rejects with a FailureError: `address-in-use`, `address-invalid` or `permission-denied`. */
export async function bindAll(
  addresses: readonly Address[],
  door: Door,
  datagrams: DatagramPort,
): Promise<void> {
  let protocol = "TCP";
  for (const address of addresses) {
    const parts = ipAddressParts(address);
    try {
      if (parts === undefined) throw new FailureError(notAnAddress(address));
      protocol = "TCP";
      await door.open(parts);
      protocol = "UDP";
      await datagrams.bind(parts);
    } catch (error) {
      door.close();
      datagrams.close();
      throw error instanceof FailureError ? error : new FailureError(whyNot(error, address, protocol));
    }
  }
}

const notAnAddress = (address: string): Failure => ({
  code: "address-invalid",
  message: `"${address}" is not an address`,
  remedy: "Give IP:PORT, IPv6 in brackets: 192.0.2.1:7654 or [2001:db8::1]:7654.",
  retry: false,
});

function whyNot(error: unknown, address: string, protocol: string): Failure {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  const port = address.slice(address.lastIndexOf(":") + 1);
  const flag = protocol === "TCP" ? "t" : "u";
  switch (code) {
    case "EADDRINUSE":
      return {
        code: "address-in-use",
        message: `${address} (${protocol}) is taken by another program, perhaps a second balefire`,
        remedy: `See who holds it: ss -${flag}lnp 'sport = :${port}'`,
        retry: true,
      };
    case "EADDRNOTAVAIL":
      return {
        code: "address-invalid",
        message: `${address} is on none of this host's interfaces`,
        remedy: "Compare with: ip -brief address",
        retry: true,
      };
    case "EACCES":
    case "EPERM":
      return {
        code: "permission-denied",
        message: `${address} (${protocol}) may not be bound by this user`,
        remedy: "Use a port above 1023 or start as root.",
        retry: false,
      };
    default:
      return {
        code: "address-invalid",
        message: `${address} (${protocol}) cannot be bound: ${code ?? "unknown error"}`,
        retry: false,
      };
  }
}
