import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { RpcClient, type RpcOptions } from './client.js';

type Reply = (request: { body: string; authorization: string | undefined; response: http.ServerResponse }) => void;

const cleanups: Array<() => Promise<void> | void> = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function serve(reply: Reply): Promise<string> {
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      reply({ body: Buffer.concat(chunks).toString(), authorization: request.headers.authorization, response });
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function client(options: RpcOptions): RpcClient {
  const rpc = new RpcClient(options);
  cleanups.push(() => rpc.close());
  return rpc;
}

const answer = (response: http.ServerResponse, result: unknown): void =>
  void response.end(JSON.stringify({ result, error: null, id: 1 }));
const refuse = (response: http.ServerResponse, code: number, message: string, status = 500): void => {
  response.statusCode = status;
  response.end(JSON.stringify({ result: null, error: { code, message }, id: 1 }));
};

describe('RpcClient', () => {
  it('sends credentials of the URL and hands amounts on exactly', async () => {
    let seen: string | undefined;
    const url = await serve(({ authorization, response }) => {
      seen = authorization;
      response.end('{"result":{"value":0.30000000},"error":null,"id":1}');
    });
    const rpc = client({ url: url.replace('//', '//al%69ce:p%40ss@') });
    expect(await rpc.call('gettxout')).toEqual({ ok: true, value: { value: '0.30000000' } });
    expect(seen).toBe(`Basic ${Buffer.from('alice:p@ss').toString('base64')}`);
  });

  it('waits for a loading node, then answers', async () => {
    let calls = 0;
    const url = await serve(({ response }) => {
      calls += 1;
      if (calls < 3) refuse(response, -28, 'Loading block index…');
      else answer(response, 7);
    });
    expect(await client({ url }).call('getblockcount')).toEqual({ ok: true, value: 7 });
    expect(calls).toBe(3);
  });

  it('gives up on a loading node after the time it was given, as data', async () => {
    const url = await serve(({ response }) => refuse(response, -28, 'Verifying blocks…'));
    const result = await client({ url, retryForMs: 50 }).call('getblockcount');
    expect(result).toMatchObject({ ok: false, error: { code: 'warming-up', rpcCode: -28 } });
  });

  it('reads the cookie file again when the node has written a new one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cookie-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    const cookieFile = join(folder, '.cookie');
    await writeFile(cookieFile, '__cookie__:old\n');
    const url = await serve(({ authorization, response }) => {
      if (authorization === `Basic ${Buffer.from('__cookie__:new').toString('base64')}`) return answer(response, 1);
      response.statusCode = 401;
      response.end();
      void writeFile(cookieFile, '__cookie__:new\n');
    });
    expect(await client({ url, cookieFile }).call('uptime')).toEqual({ ok: true, value: 1 });
  });

  it('names a refused connection, a missing cookie file and a full work queue', async () => {
    const url = await serve(({ response }) => {
      response.statusCode = 503;
      response.end('Work queue depth exceeded');
    });
    expect(await client({ url, retryForMs: 0 }).call('x')).toMatchObject({ ok: false, error: { code: 'node-busy' } });
    const closed = client({ url: 'http://127.0.0.1:1', retryForMs: 0 });
    expect(await closed.call('x')).toMatchObject({ ok: false, error: { code: 'unreachable' } });
    const noCookie = client({ url, cookieFile: '/nonexistent/.cookie', retryForMs: 0 });
    expect(await noCookie.call('x')).toMatchObject({ ok: false, error: { code: 'unauthorised' } });
  });

  it('does not repeat a call with effects after a broken connection', async () => {
    let calls = 0;
    const url = await serve(({ response }) => {
      calls += 1;
      response.socket?.destroy();
    });
    const rpc = client({ url, retryForMs: 300 });
    expect(await rpc.call('generate', [], { repeatable: false })).toMatchObject({ error: { code: 'unreachable' } });
    expect(calls).toBe(1);
    await rpc.call('getblockcount');
    expect(calls).toBeGreaterThan(2);
  });

  it('keeps within its concurrency and refuses beyond its queue', async () => {
    let running = 0;
    let most = 0;
    const url = await serve(({ response }) => {
      running += 1;
      most = Math.max(most, running);
      setTimeout(() => {
        running -= 1;
        answer(response, 0);
      }, 5);
    });
    const rpc = client({ url, maxInFlight: 3, maxWaiting: 10 });
    const results = await Promise.all(Array.from({ length: 20 }, () => rpc.call('uptime')));
    expect(most).toBe(3);
    expect(results.filter((result) => result.ok)).toHaveLength(13);
    expect(results.filter((result) => !result.ok && result.error.code === 'queue-full')).toHaveLength(7);
  });

  it('ends a silent node, an endless answer and an abandoned call', async () => {
    const silent = await serve(() => {});
    expect(await client({ url: silent, timeoutMs: 30 }).call('x')).toMatchObject({ error: { code: 'timeout' } });
    const endless = await serve(({ response }) => answer(response, 'x'.repeat(10_000)));
    const small = client({ url: endless, maxResponseBytes: 1_000 });
    expect(await small.call('x')).toMatchObject({ error: { code: 'malformed-response' } });
    const rpc = client({ url: silent });
    const waiting = rpc.call('x');
    setTimeout(() => rpc.close(), 10);
    expect(await waiting).toMatchObject({ error: { code: 'aborted' } });
  });

  it('keeps the node’s error codes as data', async () => {
    const url = await serve(({ body, response }) =>
      body.includes('nosuch') ? refuse(response, -32601, 'Method not found', 404) : refuse(response, -5, 'No such'),
    );
    const rpc = client({ url });
    expect(await rpc.call('nosuch')).toMatchObject({ error: { code: 'unsupported' } });
    expect(await rpc.call('getblock')).toMatchObject({ error: { code: 'rpc', rpcCode: -5, message: 'No such' } });
  });
});
