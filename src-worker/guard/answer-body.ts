/**
 * The body of an answer, decoded and bounded. The bound holds after decompression and is checked chunk by chunk,
 * so that a small answer that unpacks to gigabytes is cut off at the bound, never held.
 */
import { pipeline, type Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { FatalError } from '../handler';

/** The encodings that are asked for. */
export const ACCEPT_ENCODING = 'gzip, br';

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

export interface AnswerBodyOptions {
  /** The `Content-Encoding` header, or undefined. */
  encoding: string | undefined;
  /** Bytes that may come out. */
  maxBytes: number;
  /** Who answers, for the error. */
  origin: string;
}

/** @throws {FatalError} an encoding that is unknown, or more than one */
export function answerBody(body: Readable, { encoding, maxBytes, origin }: AnswerBodyOptions): Readable {
  const decoder = decoderFor(encoding, origin);
  const bounded = boundedStream(maxBytes, origin);
  // Whatever breaks destroys all of them; the reader sees it as the error of `bounded`.
  const done = (): void => undefined;
  if (decoder === null) pipeline(body, bounded, done);
  else pipeline(body, decoder, bounded, done);
  bounded.on('error', done); // an answer that nobody reads any more must not end the process
  return bounded;
}

export const tooLarge = (origin: string, maxBytes: number): FatalError =>
  new FatalError(`the answer of ${origin} is larger than ${maxBytes} bytes`);

function decoderFor(encoding: string | undefined, origin: string): Transform | null {
  const name = encoding?.trim().toLowerCase() ?? '';
  if (name === '' || name === 'identity') return null;
  const create = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined;
  if (create === undefined)
    throw new FatalError(`${origin} answers with the content encoding "${name.slice(0, 50)}", which is not understood`);
  return create();
}

function boundedStream(maxBytes: number, origin: string): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      bytes += chunk.length;
      if (bytes > maxBytes) callback(tooLarge(origin, maxBytes));
      else callback(null, chunk);
    },
  });
}
