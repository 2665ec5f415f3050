// Many WebSocket clients in a process of their own, as cheap as can be: they count bytes, and say that they are there. Clients that
// read each frame (tests/support/clients/crowd.mjs) cannot take a million of them a second.
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';

const PONG = '{"type":"pong"}';
/** A frame of text with a mask of zeros. */
const pong = Buffer.concat([Buffer.from([0x81, 0x80 | PONG.length, 0, 0, 0, 0]), Buffer.from(PONG)]);
const PONG_MS = 15_000;

const sockets = new Set();
let bytes = 0;
let closed = 0;

function open(port) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', reject);
    socket.once('connect', () =>
      socket.write(
        `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
      ),
    );
    socket.once('data', (answer) => {
      if (!answer.toString('latin1').startsWith('HTTP/1.1 101')) return reject(new Error(answer.toString()));
      sockets.add(socket);
      socket.on('close', () => {
        sockets.delete(socket);
        closed++;
      });
      socket.on('data', (data) => {
        bytes += data.length;
      });
      resolve();
    });
  });
}

process.on('disconnect', () => process.exit(0));
process.on('message', async ({ kind, port, count }) => {
  if (kind === 'open') {
    for (let n = 0; n < count; n++) await open(port);
    setInterval(() => {
      for (const socket of sockets) socket.write(pong);
    }, PONG_MS);
  }
  process.send({ bytes, closed, open: sockets.size });
});
