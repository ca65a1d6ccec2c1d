import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { call } from './call.js';

/** Receivers that misbehave. */

const servers: (Server | TcpServer)[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) server.closeAllConnections();
    server.close();
  }
});

const listen = async (server: Server | TcpServer): Promise<number> => {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};
const settings = { networks: ['127.0.0.0/8', '::1/128'], timeoutMs: 30_000 };
const post = (port: number, overrides = {}, host = '127.0.0.1') =>
  call(
    { url: `http://${host}:${port}/hook?x=1`, headers: { 'x-test': 'yes' }, body: '{"a":"ä"}' },
    { ...settings, ...overrides },
  );

describe('a call', () => {
  it('posts the body, under the name it was asked for', async () => {
    const seen: object[] = [];
    const port = await listen(
      createServer((request, response) => {
        let body = '';
        request.setEncoding('utf8').on('data', (part: string) => (body += part));
        request.on('end', () => {
          seen.push({ method: request.method, url: request.url, host: request.headers.host, body });
          response.end('ok');
        });
      }),
    );
    expect(await post(port, {}, 'localhost')).toEqual({ ok: true, status: 200 });
    expect(seen).toEqual([{ method: 'POST', url: '/hook?x=1', host: `localhost:${port}`, body: '{"a":"ä"}' }]);
  });

  it('goes to no address that is not allowed, by number or by name', async () => {
    let called = 0;
    const port = await listen(createServer((_request, response) => response.end(String((called += 1)))));
    for (const host of ['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1']) {
      expect(await post(port, { networks: [] }, host)).toMatchObject({ ok: false, problem: 'address-refused' });
    }
    expect(called).toBe(0);
  });

  it('follows no redirect', async () => {
    let elsewhere = 0;
    const other = await listen(createServer((_request, response) => response.end(String((elsewhere += 1)))));
    const port = await listen(
      createServer((_request, response) => response.writeHead(307, { location: `http://127.0.0.1:${other}/` }).end()),
    );
    expect(await post(port)).toEqual({ ok: false, status: 307, problem: 'redirected' });
    expect(elsewhere).toBe(0);
  });

  it('ends with a receiver that says nothing, too much, nonsense, or is not there', async () => {
    const silent = await listen(createTcpServer(() => undefined));
    expect(await post(silent, { timeoutMs: 300 })).toMatchObject({ problem: 'timeout' });
    const endless = await listen(
      createServer((_request, response) => {
        const more = () => {
          while (!response.destroyed && response.write('x'.repeat(65_536)));
          if (!response.destroyed) response.once('drain', more);
        };
        more();
      }),
    );
    expect(await post(endless)).toEqual({ ok: true, status: 200 });
    const garbage = await listen(createTcpServer((socket) => socket.end('SSH-2.0-nope\r\n\r\n')));
    expect(await post(garbage)).toMatchObject({ problem: 'unreachable' });
    expect(await post(1)).toMatchObject({ problem: 'unreachable' });
    const angry = await listen(createServer((_request, response) => response.writeHead(503).end()));
    expect(await post(angry)).toEqual({ ok: false, status: 503, problem: 'refused' });
    expect(await post(angry, {}, 'no-such-name.invalid')).toMatchObject({ problem: 'name-unknown' });
  });
});
