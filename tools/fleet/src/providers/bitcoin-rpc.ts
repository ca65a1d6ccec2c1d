/** What a Bitcoin node answered instead of a result. */
export class RpcError extends Error {
  override readonly name = 'RpcError';

  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

const CALL_MS = 30_000;

/** Codes of Bitcoin Core's rpc/protocol.h that this tool tells apart. */
export const RPC_WALLET_NOT_FOUND = -18;

/**
 * One JSON-RPC call to a Bitcoin Core-compatible node. Amounts come back as numbers of coins: callers here only compare
 * counts, heights and ids, or read raw transactions.
 */
export async function callRpc(url: string, method: string, params: readonly unknown[] = []): Promise<unknown> {
  const parsed = new URL(url);
  const credentials = `${decodeURIComponent(parsed.username)}:${decodeURIComponent(parsed.password)}`;
  parsed.username = '';
  parsed.password = '';
  const response = await fetch(parsed, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
      'content-type': 'application/json',
      // The node closes idle connections, which a pool would notice only with the next call.
      connection: 'close',
    },
    body: JSON.stringify({ jsonrpc: '1.0', id: 1, method, params }),
    signal: AbortSignal.timeout(CALL_MS),
  }).catch((thrown: unknown) => {
    // fetch hides "connection refused" in the cause.
    throw thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  });
  if (response.status === 401 || response.status === 403)
    throw new Error(`it refuses the credentials (HTTP ${response.status})`);
  const text = await response.text();
  let answer: { result?: unknown; error?: { code: number; message: string } | null };
  try {
    answer = JSON.parse(text) as typeof answer;
  } catch {
    throw new Error(`it answered HTTP ${response.status}: ${text.slice(0, 120)}`);
  }
  if (answer.error) throw new RpcError(answer.error.code, answer.error.message);
  return answer.result;
}
