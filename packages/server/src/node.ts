/** The door @sophia-ai/server/node: listens on this machine, and on this machine only. */

import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { CloseReport } from '@sophia-ai/core';
import { SophiaError } from '@sophia-ai/core';
import { ServerError } from './errors.ts';
import { isLoopbackHost } from './loopback.ts';
import { problemResponse } from './problems.ts';
import type { Server } from './server.ts';

export interface ListenOptions {
  /** Default `127.0.0.1`; only loopback addresses, as requests are not authenticated. */
  readonly host?: string;
  /** Default 8787; 0 takes any free port. */
  readonly port?: number;
}

export interface Listener {
  /** Where the server is reached, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /**
   * Stops gracefully: new runs get 503 while those in flight finish, for at most `timeoutMs` (default 25 s); then
   * connections and the optimizer are closed. Idempotent.
   */
  close(options?: { readonly timeoutMs?: number }): Promise<CloseReport[]>;
}

export const DEFAULT_PORT = 8787;
const DEFAULT_HOST = '127.0.0.1';

/** A client has so long to send its headers, and its whole request: a slow one must not hold a connection for ever. */
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 30_000;
const CHECK_EVERY_MS = 1_000;
/** Answers that are still being written when everything else is closed have so long. */
const LAST_BYTES_MS = 1_000;

/** @throws ServerError HOST_NOT_LOOPBACK, PORT_TAKEN, PORT_REFUSED; SophiaError OPTION_INVALID */
export async function listen(server: Server, options: ListenOptions = {}): Promise<Listener> {
  const { host = DEFAULT_HOST, port = DEFAULT_PORT } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new SophiaError(
      'OPTION_INVALID',
      `listen: 'port' was given as ${String(port)}; allowed: a whole number from 0 to 65535.`,
    );
  }
  if (typeof host !== 'string' || !isLoopbackHost(host)) throw notLoopback(host);
  const http = createHttpServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_EVERY_MS,
    },
    handlerOf(server),
  );
  const address = await bound(http, host.replaceAll(/[[\]]/g, ''), port);
  if (!isLoopbackHost(address.address)) {
    http.close();
    throw notLoopback(`${host} (${address.address})`);
  }
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  let closing: Promise<CloseReport[]> | undefined = undefined;
  return {
    url: `http://${name}:${address.port}`,
    port: address.port,
    close: (limits = {}) => (closing ??= stop(server, http, limits)),
  };
}

function handlerOf(server: Server): (incoming: IncomingMessage, outgoing: ServerResponse) => void {
  const answer = getRequestListener(
    (request, { incoming, outgoing }) =>
      server.fetch(request, { localPort: incoming.socket?.localPort, cut: () => void outgoing.destroy() }),
    {
      overrideGlobalObjects: false,
      errorHandler: (error) => {
        const message =
          'The request line or its Host header cannot be understood. Send a path and one Host as host:port.';
        return problemResponse(new ServerError('HEADER_INVALID', message, { cause: error }));
      },
    },
  );
  return (incoming, outgoing) => {
    // Otherwise a client could hold its connection, and the stopping process, open with one request after the other.
    if (server.isDraining) outgoing.shouldKeepAlive = false;
    void answer(incoming, outgoing);
  };
}

async function bound(http: HttpServer, host: string, port: number): Promise<AddressInfo> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  http.once('error', reject);
  http.listen({ host, port }, resolve);
  try {
    await promise;
  } catch (error) {
    throw listenError(error as NodeJS.ErrnoException, host, port);
  } finally {
    http.off('error', reject);
  }
  return http.address() as AddressInfo;
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE') {
    const message = `Port ${port} on ${host} is taken by another process. Stop that one, or choose another port; 0 takes any free one.`;
    return new ServerError('PORT_TAKEN', message, { cause: error });
  }
  if (error.code === 'EACCES') {
    const message = `Listening on port ${port} is not permitted to this user. Choose a port above 1023.`;
    return new ServerError('PORT_REFUSED', message, { cause: error });
  }
  return error;
}

function notLoopback(host: string): ServerError {
  return new ServerError(
    'HOST_NOT_LOOPBACK',
    `The host ${JSON.stringify(host)} can be reached from other machines, and this server does not authenticate requests. Listen on 127.0.0.1, ::1 or localhost, and put a proxy with authentication in front.`,
  );
}

async function stop(server: Server, http: HttpServer, limits: { readonly timeoutMs?: number }): Promise<CloseReport[]> {
  // The port stays open so long, so that new runs are told to go elsewhere instead of being refused a connection.
  await server.drain(limits);
  const closed = new Promise<void>((resolve) => {
    http.close(() => resolve());
  });
  const reports = await server.close({ timeoutMs: 0 });
  http.closeIdleConnections();
  const force = setTimeout(() => http.closeAllConnections(), LAST_BYTES_MS);
  await closed;
  clearTimeout(force);
  return reports;
}
