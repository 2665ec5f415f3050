/** The server over a real engine on a real Redis, on a socket. Answers are checked against the route table. */
import { afterEach, beforeEach } from 'vitest';
import { HttpServer } from '#main/server/http-server';
import { OperationWatch } from '#main/server/operation-watch';
import { RedisGauge } from '#main/server/redis-gauge';
import { Safety } from '#main/server/safety';
import type { ServerSettings } from '#main/server/settings';
import type { SafetyLevel } from '#queue/contract/session';
import type { ConnectedEngine } from '#queue/engine/connect';
import { systemClock } from '#queue/kernel/clock';
import { silentLog } from '#queue/kernel/log';
import { type Answer, call, SETTINGS } from './api-world';
import { connectTo } from './engine';
import { present } from './present';
import { type RedisServer, startRedis } from './redis-server';

export interface RealApi {
  connected: ConnectedEngine;
  http: HttpServer;
  url: string;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  stop(): Promise<void>;
}

export async function startApi(
  redis: RedisServer,
  settings: Partial<ServerSettings> = {},
  safety: SafetyLevel = 'open',
): Promise<RealApi> {
  const connected = connectTo(redis);
  await connected.whenReady(5000);
  const { engine, reader, directory, operations, recorder, audit, keys, ping, refusal, vitals, carrier } = connected;
  const probe = { ping, refusal, vitals };
  const http = new HttpServer({
    engine,
    reader,
    directory,
    operations: new OperationWatch(operations),
    pools: null,
    metrics: recorder,
    audit,
    keys,
    redis: probe,
    redisGauge: new RedisGauge(probe, systemClock),
    safety: new Safety(safety, systemClock),
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
    call: (...args) => call((path, init) => fetch(url + path, init), ...args),
    stop: async () => {
      await http.stop();
      await connected.close();
    },
  };
}

/** For a test file: each of its tests has a server and a Redis of its own. */
export function apiOfEachTest(): { readonly api: RealApi; readonly redis: RedisServer } {
  let redis: RedisServer | undefined;
  let api: RealApi | undefined;
  beforeEach(async () => {
    redis = await startRedis();
    api = await startApi(redis);
  });
  afterEach(async () => {
    await api?.stop();
    await redis?.stop();
  });
  return {
    get api() {
      return present(api);
    },
    get redis() {
      return present(redis);
    },
  };
}
