/** The server over a real engine on a real Redis, on a socket. Answers are checked against the route table. */
import { HttpServer } from '#main/server/http-server';
import type { ServerSettings } from '#main/server/settings';
import type { ConnectedEngine } from '#queue/engine/connect';
import { systemClock } from '#queue/kernel/clock';
import { silentLog } from '#queue/kernel/log';
import { type Answer, checkAnswer, SETTINGS } from './api-world';
import { connectTo } from './engine';
import type { RedisServer } from './redis-server';

export interface RealApi {
  connected: ConnectedEngine;
  http: HttpServer;
  url: string;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  stop(): Promise<void>;
}

export async function startApi(redis: RedisServer, settings: Partial<ServerSettings> = {}): Promise<RealApi> {
  const connected = connectTo(redis);
  await connected.whenReady(5000);
  const { engine, reader, directory, operations, recorder, audit, keys, ping, carrier } = connected;
  const http = new HttpServer({
    engine,
    reader,
    directory,
    operations,
    pools: null,
    metrics: recorder,
    audit,
    keys,
    redis: { ping },
    clock: systemClock,
    log: silentLog,
    settings: { ...SETTINGS, ...settings },
  });
  await carrier.start();
  await recorder.start();
  await http.start();
  const { url } = http;
  return {
    connected,
    http,
    url,
    call: (method, path, body, headers = {}) => callServer(url, method, path, body, headers),
    stop: async () => {
      await http.stop();
      await connected.close();
    },
  };
}

async function callServer(
  url: string,
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string>,
): Promise<Answer> {
  const given = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
  const response = await fetch(url + path, { method, headers: { ...type, ...headers }, ...given });
  const text = await response.text();
  const media = response.headers.get('content-type') ?? '';
  const answer = {
    status: response.status,
    headers: response.headers,
    text,
    body: media.includes('json') && text !== '' ? JSON.parse(text) : undefined,
  };
  checkAnswer(method, path.split('?')[0] ?? '', answer);
  return answer;
}
