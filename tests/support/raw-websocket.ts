/** A WebSocket as bytes: frames that no library would write, and what the server makes of them. */
import { connect, type Socket } from 'node:net';
import { waitFor } from './millrace-process';

export interface RawFrame {
  opcode: number;
  payload?: Buffer;
  final?: boolean;
  /** The three reserved bits, as in the first byte. */
  reserved?: number;
  masked?: boolean;
  /** Told in place of the payload's own length. */
  length?: bigint;
}

const MASK = Buffer.from([1, 2, 3, 4]);

export function encodeRaw({
  opcode,
  payload = Buffer.alloc(0),
  final = true,
  reserved = 0,
  masked = true,
  length,
}: RawFrame): Buffer {
  const told = length ?? BigInt(payload.length);
  const bit = masked ? 0x80 : 0;
  const size =
    told < 126n
      ? Buffer.from([bit | Number(told)])
      : told < 65_536n
        ? Buffer.from([bit | 126, 0, 0])
        : Buffer.from([bit | 127, 0, 0, 0, 0, 0, 0, 0, 0]);
  if (size.length === 3) size.writeUInt16BE(Number(told), 1);
  if (size.length === 9) size.writeBigUInt64BE(told, 1);
  const body = masked ? Buffer.from(payload.map((byte, n) => byte ^ (MASK[n % 4] ?? 0))) : payload;
  return Buffer.concat([Buffer.from([(final ? 0x80 : 0) | reserved | opcode]), size, ...(masked ? [MASK] : []), body]);
}

export class RawWebSocket implements Disposable {
  readonly socket: Socket;
  #bytes = Buffer.alloc(0);
  closed = false;

  private constructor(port: number) {
    this.socket = connect(port, '127.0.0.1', () =>
      this.socket.write(
        `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
      ),
    );
    this.socket.on('data', (data) => {
      this.#bytes = Buffer.concat([this.#bytes, data]);
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  /** Resolves once the snapshot is here. */
  static async open(port: number): Promise<RawWebSocket> {
    const opened = new RawWebSocket(port);
    await waitFor('the snapshot', () => (opened.texts.some((text) => text.includes('"snapshot"')) ? true : null));
    return opened;
  }

  get texts(): string[] {
    return this.#frames().flatMap(({ opcode, payload }) => (opcode === 1 ? [payload.toString()] : []));
  }

  /** Code of the close frame that came; null before. */
  get closeCode(): number | null {
    const frame = this.#frames().find(({ opcode }) => opcode === 8);
    return frame === undefined ? null : frame.payload.readUInt16BE(0);
  }

  #frames(): { opcode: number; payload: Buffer }[] {
    const frames: { opcode: number; payload: Buffer }[] = [];
    const bytes = this.#bytes;
    let at = bytes.indexOf('\r\n\r\n');
    if (at === -1) return [];
    at += 4;
    while (at + 2 <= bytes.length) {
      const short = (bytes[at + 1] ?? 0) & 0x7f;
      const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
      if (start > bytes.length) break;
      const length =
        short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
      if (start + length > bytes.length) break;
      frames.push({ opcode: (bytes[at] ?? 0) & 0x0f, payload: bytes.subarray(start, start + length) });
      at = start + length;
    }
    return frames;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
