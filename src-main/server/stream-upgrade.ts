/** The door of `/ws`: what an upgrade request must pass, and how it is refused. */
import { type IncomingHttpHeaders, type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { ERRORS, QueueError } from '#queue/contract/errors';
import type { Log } from '#queue/kernel/log';

export interface Door {
  /** Host and Origin. @throws {QueueError} FOREIGN_HOST, FOREIGN_ORIGIN */
  checkRequest(headers: IncomingHttpHeaders): unknown;
  /** Token, from `Authorization` or `Sec-WebSocket-Protocol`; any role may listen. @throws or rejects with {QueueError} UNAUTHENTICATED */
  authenticate(headers: IncomingHttpHeaders): unknown;
}

export const SUBPROTOCOL = 'millrace';
const PATH = /^\/ws\/?(\?|$)/;

/** @throws {QueueError} where the request may not become a WebSocket */
export async function admit(request: IncomingMessage, door: Door): Promise<void> {
  await door.checkRequest(request.headers);
  if (!PATH.test(request.url ?? '')) throw new QueueError('NOT_FOUND', 'WebSockets are served at /ws');
  await door.authenticate(request.headers);
}

/** Answers a problem document and ends the connection. */
export function refuseUpgrade(socket: Duplex, error: unknown, log: Log): void {
  const known = error instanceof QueueError;
  if (!known) log.error('a WebSocket upgrade failed', { error });
  const { status, title } = ERRORS[known ? error.code : 'INTERNAL'];
  const detail = known ? error.message : 'the server could not open the connection';
  const body = JSON.stringify({ type: 'about:blank', title, status, detail });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    ...(status === 401 ? ['WWW-Authenticate: Bearer'] : []),
    ...(status === 429 ? ['Retry-After: 5'] : []),
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
