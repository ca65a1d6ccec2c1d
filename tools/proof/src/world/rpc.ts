import { callRpc } from '@seedfleet/fleet';

/** A Bitcoin node whose process may be killed at any moment: calls are repeated until it answers. */
const ANSWERS_WITHIN_MS = 60_000;
const RETRY_MS = 200;

/** Calls until the node answers. Its own refusals are thrown at once. */
export async function patientRpc<T>(url: string, method: string, params: readonly unknown[] = []): Promise<T> {
  const deadline = Date.now() + ANSWERS_WITHIN_MS;
  for (;;) {
    try {
      return (await callRpc(url, method, params)) as T;
    } catch (thrown) {
      if (!isAway(thrown) || Date.now() > deadline) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

/** Code of Bitcoin Core's rpc/protocol.h: it is still starting. */
const RPC_IN_WARMUP = -28;

function isAway(thrown: unknown): boolean {
  const code = (thrown as { code?: unknown }).code;
  if (typeof code === 'number') return code === RPC_IN_WARMUP;
  return !(thrown instanceof Error && thrown.message.startsWith('it answered HTTP 4'));
}
