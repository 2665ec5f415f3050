/**
 * What a client of the WebSocket may send: frames made from the contract's own schema, right and wrong, and bytes that
 * are no frames. It is answered or closed with the code for it, and nobody else notices (catalogue 49 to 51, 54).
 */
import { once } from 'node:events';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { LIMITS } from '#queue/contract/limits';
import { ClientFrame, ServerFrame } from '#queue/contract/stream';
import { HOSTILE_KEYS, HOSTILE_VALUES, NOT_JSON, nested, Pairs, writeJson } from '../support/hostile-values';
import { InputWorld } from '../support/input-world';
import { waitFor } from '../support/millrace-process';
import { encodeRaw, type RawFrame, RawWebSocket } from '../support/raw-websocket';
import { SchemaValues } from '../support/schema-values';

let input: InputWorld;
beforeAll(async () => {
  input = await InputWorld.start();
}, 90_000);
afterAll(() => input?.[Symbol.asyncDispose]());

const text = (value: unknown, more: Partial<RawFrame> = {}) =>
  encodeRaw({ opcode: 1, payload: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), ...more });
const SUBSCRIBE = '{"type":"subscribe","topics":["tasks"]}';

describe('frames', () => {
  const valid = new SchemaValues(ClientFrame, (field) =>
    field === 'topics' ? fc.constantFrom('tasks', 'queue:emails') : null,
  ).allowed();
  const wrong = fc
    .tuple(valid, fc.constantFrom('type', 'topics', 'since', ...HOSTILE_KEYS), fc.constantFrom(...HOSTILE_VALUES))
    .map(([frame, key, value]) => new Pairs([...Object.entries(Object(frame)), [key, value]]));
  const frames = fc.array(
    fc.oneof(
      { weight: 2, arbitrary: valid.map(writeJson) },
      { weight: 2, arbitrary: wrong.map(writeJson) },
      { weight: 1, arbitrary: fc.constantFrom(...NOT_JSON, ...HOSTILE_VALUES, nested(30_000)).map(writeJson) },
      { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 50 }) },
    ),
    { minLength: 1, maxLength: 6 },
  );

  it('are followed where they are right, answered where they are not, and the third wrong one is the end', async () => {
    await fc.assert(
      fc.asyncProperty(frames, async (sent) => {
        const ws = new WebSocket(`ws://127.0.0.1:${input.port}/ws`, { perMessageDeflate: false });
        const got: ServerFrame[] = [];
        const faults: unknown[] = [];
        ws.on('message', (data) => {
          const parsed = ServerFrame.safeParse(JSON.parse(String(data)));
          if (parsed.success) got.push(parsed.data);
          else faults.push(parsed.error);
        });
        const closed = once(ws, 'close').then(([code]) => Number(code));
        await once(ws, 'open');
        for (const frame of sent) ws.send(frame);
        const fate = sent.reduce((bad, frame) => bad + (isRight(frame) ? 0 : 1), 0) >= 3 ? 1008 : 'open';
        if (fate === 'open') {
          ws.ping();
          await once(ws, 'pong');
          expect(got.filter(({ type }) => type === 'error').length).toBe(
            sent.filter((frame) => !isRight(frame)).length,
          );
          ws.terminate();
        } else expect(await closed).toBe(fate);
        expect(faults).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });

  it('of more than 64 KiB close the connection with 1009', async () => {
    const ws = new WebSocket(`ws://127.0.0.1:${input.port}/ws`);
    const closed = once(ws, 'close');
    await once(ws, 'open');
    ws.send('x'.repeat(LIMITS.wsMessageBytes + 1));
    expect((await closed)[0]).toBe(1009);
  });
});

/** Whether the contract allows it, as the text that goes over the wire. */
function isRight(frame: string): boolean {
  try {
    // A half of a pair is a replacement character on the wire.
    return ClientFrame.safeParse(JSON.parse(Buffer.from(frame).toString())).success;
  } catch {
    return false;
  }
}

describe('bytes', () => {
  it.each<[string, Buffer[], number]>([
    ['a frame without a mask', [text(SUBSCRIBE, { masked: false })], 1002],
    ['a reserved opcode', [encodeRaw({ opcode: 3 })], 1002],
    ['a reserved control opcode', [encodeRaw({ opcode: 11 })], 1002],
    ['a compressed frame that nobody agreed to', [text(SUBSCRIBE, { reserved: 0x40 })], 1002],
    ['reserved bits', [text(SUBSCRIBE, { reserved: 0x30 })], 1002],
    ['a ping of 126 bytes', [encodeRaw({ opcode: 9, payload: Buffer.alloc(126) })], 1002],
    ['a ping in pieces', [encodeRaw({ opcode: 9, final: false })], 1002],
    ['a continuation of nothing', [text('x', { opcode: 0 })], 1002],
    ['a message within a message', [text('{', { final: false }), text('}')], 1002],
    ['a close frame of one byte', [encodeRaw({ opcode: 8, payload: Buffer.from([3]) })], 1002],
    ['a close code that is none', [encodeRaw({ opcode: 8, payload: Buffer.from([0x03, 0xed]) })], 1002],
    ['text that is not UTF-8', [encodeRaw({ opcode: 1, payload: Buffer.from([0xff, 0xc0, 0x80]) })], 1007],
    ['half a pair', [encodeRaw({ opcode: 1, payload: Buffer.from([0xed, 0xa0, 0x80]) })], 1007],
    ['a length of 2^63', [encodeRaw({ opcode: 1, length: 2n ** 63n })], 1009],
    ['64 KiB and one byte, as told', [encodeRaw({ opcode: 1, length: BigInt(LIMITS.wsMessageBytes + 1) })], 1009],
    [
      '64 KiB and more, in pieces',
      [text('x'.repeat(40_000), { final: false }), text('x'.repeat(40_000), { opcode: 0, final: false })],
      1009,
    ],
    [
      'three messages that are bytes',
      Array.from({ length: 3 }, () => encodeRaw({ opcode: 2, payload: Buffer.from('{}') })),
      1008,
    ],
  ])('%s: closed with the code for it', async (_, parts, code) => {
    using ws = await RawWebSocket.open(input.port);
    for (const part of parts) ws.socket.write(part);
    expect(await waitFor('the end', () => (ws.closed ? ws.closeCode : null), 5000)).toBe(code);
  });

  it('of one message in pieces, with a ping between, are one message', async () => {
    using ws = await RawWebSocket.open(input.port);
    const pieces = [...SUBSCRIBE].map((letter, n) =>
      text(letter, { opcode: n === 0 ? 1 : 0, final: n === SUBSCRIBE.length - 1 }),
    );
    for (const piece of pieces) ws.socket.write(Buffer.concat([encodeRaw({ opcode: 9 }), piece]));
    await waitFor('the answer', () => (ws.texts.some((one) => one.includes('"subscribed"')) ? true : null), 5000);
  });

  it('of any kind end one connection at most', async () => {
    using neighbour = await RawWebSocket.open(input.port);
    const frame = fc.record({
      opcode: fc.nat(15),
      payload: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      final: fc.boolean(),
      reserved: fc.constantFrom(0, 0, 0, 0x40, 0x30),
      masked: fc.constantFrom(true, true, true, false),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            frame.map(encodeRaw),
            fc.uint8Array().map((b) => Buffer.from(b)),
          ),
          { maxLength: 8 },
        ),
        async (parts) => {
          using ws = await RawWebSocket.open(input.port);
          ws.socket.end(Buffer.concat(parts)); // whatever it was, the client goes
          await waitFor('the end', () => (ws.closed ? true : null), 5000);
        },
      ),
      { numRuns: 60 },
    );
    neighbour.socket.write(text(SUBSCRIBE));
    await waitFor(
      'the answer',
      () => (neighbour.texts.some((one) => one.includes('"subscribed"')) ? true : null),
      5000,
    );
  });
});

it('has done all that and still does its work', async () => {
  const { grown, violations } = await input.stillWorks();
  const alarms = input.logged.split('\n').filter((line) => /unexpected|unhandled|"level":"(error|fatal)"/i.test(line));
  expect({ alarms, grown, violations }).toEqual({ alarms: [], grown: [], violations: [] });
});
