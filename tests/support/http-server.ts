/** A real HTTP server on a free loopback port, for one test. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedRequest {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface TestHttpServer extends AsyncDisposable {
  port: number;
  /** `http://127.0.0.1:<port>` */
  origin: string;
  /** What came in, oldest first. */
  received: ReceivedRequest[];
}

export type Answer = (request: ReceivedRequest, response: ServerResponse) => void | Promise<void>;

export async function startHttpServer(answer: Answer): Promise<TestHttpServer> {
  const received: ReceivedRequest[] = [];
  const server = createServer((request, response) => {
    read(request).then(
      (body) => {
        const entry = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
        received.push(entry);
        return answer(entry, response);
      },
      () => response.destroy(), // the client went away while it sent
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    received,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function read(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
