import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Problem } from './problem.js';

/**
 * Answers what never becomes a request, because Node's parser gives up on it, with a problem document like everything else,
 * and closes the connection: nobody knows where its next request would begin.
 */
export function answerUnreadable(server: Server): void {
  const latest = new WeakMap<Socket, ServerResponse>();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => latest.set(request.socket, response));
  const refused = new WeakSet<Socket>();
  server.on('clientError', (failure: NodeJS.ErrnoException, socket: Socket) => {
    // What it sends after that is no request either.
    if (refused.has(socket)) return;
    refused.add(socket);
    if (!socket.writable) return void socket.destroy();
    const before = latest.get(socket);
    if (before !== undefined && !before.writableFinished) {
      // The answer to the request before may be half sent, and another one in the middle of it would be taken for its rest.
      before.once('finish', () => socket.destroySoon());
      return;
    }
    const problem = problemOf(failure.code);
    const text = JSON.stringify(problem.document(randomUUID()));
    const head = [
      `HTTP/1.1 ${problem.getStatus()} ${REASONS[problem.getStatus()] ?? 'Refused'}`,
      'Content-Type: application/problem+json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(text)}`,
      'Cache-Control: no-store',
      'Connection: close',
    ];
    socket.write(`${head.join('\r\n')}\r\n\r\n${text}`);
    socket.destroySoon();
  });
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Content Too Large',
  431: 'Request Header Fields Too Large',
};

function problemOf(code: string | undefined): Problem {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new Problem(431, 'headers-too-large', 'address and headers together exceed 16 KiB');
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new Problem(413, 'body-too-large', 'the chunk extensions are too large');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Problem(408, 'request-timeout', 'the request did not arrive in time');
    default:
      return new Problem(400, 'request-malformed', 'this is not HTTP/1.1 as it can be read');
  }
}
