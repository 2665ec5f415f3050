/** The door of `/ws`: what an upgrade request must pass, and how it is refused. */
import { type IncomingHttpHeaders, type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { QueueError } from '#queue/contract/errors';
import type { Log } from '#queue/kernel/log';
import { problemHeaders, toProblem, toQueueError } from './problem';

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
export function refuseUpgrade(socket: Duplex, thrown: unknown, log: Log): void {
  const error = toQueueError(thrown, log);
  const body = JSON.stringify(toProblem(error));
  const headers = { ...problemHeaders(error), 'content-length': Buffer.byteLength(body), connection: 'close' };
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status] ?? ''}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
