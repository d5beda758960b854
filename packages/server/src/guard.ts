/**
 * Refuses what a browser may have been tricked into sending. A page of another site can reach a server on loopback
 * through the visitor's browser: by a name of its own that resolves to 127.0.0.1 (DNS rebinding; stopped by the Host
 * check), or by a cross-site request (stopped by the Origin check and by taking JSON only).
 */

import { ServerError, quoted } from './errors.ts';
import { isLoopbackHost } from './loopback.ts';

/** What a host environment knows of the connection and the web-standard `Request` does not say. */
export interface Connection {
  /** The port that the request came in on. */
  readonly localPort?: number | undefined;
  /** Ends the connection at once, for a client that does not read. */
  readonly cut?: () => void;
}

const HOST = /^(\[[\da-f:.]+\]|[^:[\]@/?#\s]+)(?::(\d{1,5}))?$/i;
const DEFAULT_PORT = 80;

/** @throws ServerError HEADER_INVALID, HOST_REFUSED, ORIGIN_REFUSED */
export function guard(request: Request, connection: Connection, allowedHosts: readonly string[] | undefined): void {
  const url = new URL(request.url);
  checkHost(request.headers.get('host') ?? url.host, connection, allowedHosts);
  // An absolute request target may name another host than the header.
  checkHost(url.host, connection, allowedHosts);
  if (request.method !== 'GET' && request.method !== 'HEAD') checkOrigin(request.headers, url.origin);
}

function checkHost(host: string, connection: Connection, allowedHosts: readonly string[] | undefined): void {
  const [, name = '', port] = HOST.exec(host) ?? [];
  // Several Host headers arrive joined with commas; which of them a proxy looked at, nobody can say.
  if (host.includes(',') || name === '') {
    throw new ServerError('HEADER_INVALID', `The Host header is ${quoted(host)}. Send exactly one, as host:port.`);
  }
  const isKnown = allowedHosts === undefined ? isLoopbackHost(name) : allowedHosts.includes(name.toLowerCase());
  const { localPort } = connection;
  if (isKnown && (localPort === undefined || Number(port ?? DEFAULT_PORT) === localPort)) return;
  throw new ServerError(
    'HOST_REFUSED',
    `This server does not answer for ${quoted(host)}. Use the address that it printed at start, such as http://127.0.0.1:${localPort ?? 8787}.`,
  );
}

function checkOrigin(headers: Headers, own: string): void {
  const origin = headers.get('origin');
  const site = headers.get('sec-fetch-site') ?? 'none';
  const isOwn = origin === null || origin === own;
  if (isOwn && (site === 'none' || site === 'same-origin')) return;
  const from = isOwn ? `Sec-Fetch-Site: ${quoted(site)}` : `Origin: ${quoted(origin)}`;
  throw new ServerError(
    'ORIGIN_REFUSED',
    `The request came from a page of another site (${from}). Send it from a program, or from a page of ${own}.`,
  );
}

/** On every answer: nothing here is a document, and nothing of it may be stored, framed or sniffed. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};
