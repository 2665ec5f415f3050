/**
 * The API on a socket. Refuses to start where a token is needed and there is none; never reads more of a request than
 * its limits allow; stops by answering what is under way, for five seconds at most.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { getRequestListener } from '@hono/node-server';
import { QueueError } from '#queue/contract/errors';
import { LIMITS } from '#queue/contract/limits';
import { isLoopbackHost } from '#queue/kernel/loopback';
import type { Service } from '#queue/kernel/service';
import { createApp } from './app';
import { Authenticator, type Identity } from './auth';
import { checkRequest, type HostPolicy, hostPolicy, type RequestHeaders } from './guard';
import { problemResponse } from './problem';
import type { ServerDeps } from './settings';
import { requireTokenOrRefuse } from './token-rule';

const HEADER_BYTES = 8 * 1024;
const HEADERS_TIMEOUT_MS = 10_000;
/** For the longest upload of lines; a body has its own deadline, see body.ts. */
const REQUEST_TIMEOUT_MS = 15 * 60_000;
const KEEP_ALIVE_MS = 15_000;
const TIMEOUT_CHECK_MS = 1000;
const DRAIN_MS = 5000;
const WILDCARDS = ['0.0.0.0', '::', ''];

export class HttpServer implements Service {
  readonly name = 'http-server';
  /** Node's server, for the WebSocket server to attach to; made before `start`, bound by it. */
  readonly server: Server;
  readonly #deps: ServerDeps;
  readonly #sockets = new Set<Socket>();
  #policy: HostPolicy;
  #authenticator: Authenticator | undefined;
  #stopping: Promise<void> | undefined;

  constructor(deps: ServerDeps) {
    this.#deps = deps;
    this.#policy = this.#policyFor(deps.settings.port);
    this.server = createServer({
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
    });
    this.server.maxConnections = LIMITS.connections;
    this.server.on('request', (_request, response) => {
      // A connection that its client would keep is of no use to us any more.
      response.once('close', () => this.#stopping && this.server.closeIdleConnections());
    });
    this.server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** `http://127.0.0.1:8000`. @throws before `start` */
  get url(): string {
    const { address, family, port } = this.address;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** @throws before `start` */
  get address(): AddressInfo {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('the server is not listening');
    return address;
  }

  /** What a WebSocket upgrade must pass: the same as every request. @throws {QueueError} FOREIGN_HOST, FOREIGN_ORIGIN */
  checkRequest(headers: RequestHeaders): void {
    checkRequest(headers, this.#policy);
  }

  /** @throws {QueueError} UNAUTHENTICATED; and before `start` */
  async authenticate(headers: RequestHeaders): Promise<Identity> {
    if (this.#authenticator === undefined) throw new Error('the server has not started');
    return this.#authenticator.authenticate(headers);
  }

  /** @throws {QueueError} UNAUTHENTICATED where a token is needed and there is none; an Error that says what to do where the port is taken */
  async start(): Promise<void> {
    const { settings, keys, clock, log } = this.#deps;
    const { required } = requireTokenOrRefuse(settings.host, settings.redisIsLoopback, await this.#countTokens());
    const authenticator = new Authenticator({ keys, clock, tokens: settings.tokens, required });
    this.#authenticator = authenticator;
    const app = createApp(this.#deps, { kind: 'network', policy: () => this.#policy, authenticator });
    this.server.on('request', getRequestListener(app.fetch, { errorHandler: (error) => this.#unreadable(error) }));
    await this.#listen();
    this.#policy = this.#policyFor(this.address.port);
    log.info('the API is ready', { url: this.url, token_required: required || settings.tokens.length > 0 });
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#drain();
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Of what is no URL at all nothing comes as far as the guard: its Host is then no name of ours. */
  #unreadable(error: unknown): Response {
    this.#deps.log.debug('a request could not be read', { error });
    return problemResponse(new QueueError('FOREIGN_HOST', 'the Host of the request is not a name of this server'));
  }

  async #drain(): Promise<void> {
    if (!this.server.listening) return;
    const { clock } = this.#deps;
    const drained = new AbortController();
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    this.server.closeIdleConnections(); // Node 18 does not do that by itself
    const late = clock.sleep(DRAIN_MS, drained.signal).then(() => {
      if (!drained.signal.aborted) for (const socket of this.#sockets) socket.destroy();
    });
    await closed;
    drained.abort();
    await late;
  }

  /** Keys are only looked at where they decide whether we may start. */
  async #countTokens(): Promise<number> {
    const { settings, keys } = this.#deps;
    const open = isLoopbackHost(settings.host) && settings.redisIsLoopback;
    return settings.tokens.length > 0 || open ? settings.tokens.length : (await keys.list()).length;
  }

  #listen(): Promise<void> {
    const { host, port } = this.#deps.settings;
    return new Promise((resolve, reject) => {
      const fail = (error: NodeJS.ErrnoException) =>
        reject(new Error(listenFault(error, host, port), { cause: error }));
      this.server.once('error', fail);
      this.server.listen({ host, port }, () => {
        this.server.off('error', fail);
        resolve();
      });
    });
  }

  #policyFor(port: number): HostPolicy {
    const { host, allowedHosts, allowedOrigins } = this.#deps.settings;
    return hostPolicy({
      port,
      names: WILDCARDS.includes(host) ? addressesOfThisMachine() : [host],
      allowedHosts,
      allowedOrigins,
    });
  }
}

/** Numbers are safe to serve: a foreign page cannot make its own name out of them. */
function addressesOfThisMachine(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));
}

function listenFault(error: NodeJS.ErrnoException, host: string, port: number): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is in use: stop what listens there, or choose another one with APP_PORT`;
    case 'EACCES':
      return `port ${port} on ${host} may not be bound by this user: choose one above 1023 with APP_PORT`;
    case 'EADDRNOTAVAIL':
      return `${host} is not an address of this machine: set APP_HOST`;
    default:
      return `could not listen on ${host}:${port}: ${error.message}`;
  }
}
