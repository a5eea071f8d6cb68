/** The address of a path under a server's own, which may itself have a path, a query, user and password. */
export function under(server: string, path: string): string {
  const url = URL.parse(server);
  // What is no URL is refused, in words, where it is sent to.
  if (url === null) return server;
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/${path}`;
  return url.href;
}
