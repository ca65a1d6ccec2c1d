/**
 * Sends its content to whoever connects, over and over, with no protocol at all: what the loopback carries just now.
 * Arguments: the content's file, the bytes per write, the address to listen on. Reports where it listens by IPC.
 */
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';

const [contentPath = '', writeBytes = '', host = ''] = process.argv.slice(2);
const content = readFileSync(contentPath);
const size = Number(writeBytes);

function send(socket: Socket, from: number): void {
  const part = content.subarray(from, from + size);
  socket.write(part, (error) => {
    if (error === undefined || error === null) send(socket, (from + size) % content.length);
  });
}

const server = createServer((socket) => {
  socket.on('error', () => undefined);
  send(socket, 0);
});
server.listen(0, host, () => {
  process.send?.({ address: `${host}:${(server.address() as AddressInfo).port}` });
});
process.on('disconnect', () => process.exit());
