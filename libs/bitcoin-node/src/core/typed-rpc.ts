import type { z } from 'zod';
import { fail, succeed, type NodeError, type NodeResult } from '../errors.js';
import type { CallOptions, RpcClient } from '../rpc/client.js';

/** Calls a method and checks the answer against its schema; a misfit is `malformed-response` with the first reason. */
export async function typedCall<Schema extends z.ZodType>(
  rpc: RpcClient,
  schema: Schema,
  method: string,
  params: readonly unknown[] = [],
  options: CallOptions = {},
): Promise<NodeResult<z.output<Schema>>> {
  const answer = await rpc.call(method, params, options);
  if (!answer.ok) return answer;
  const parsed = schema.safeParse(answer.value);
  if (parsed.success) return succeed(parsed.data);
  const issue = parsed.error.issues[0];
  const where = issue ? `${issue.path.join('.')}: ${issue.message}` : 'unreadable';
  return fail({ code: 'malformed-response', method, message: `unexpected answer, ${where}` });
}

/** Turns "there is no such thing" (RPC error -5, or -8 for a height beyond the tip) into null; other errors stay. */
export function absentAsNull<T>(result: NodeResult<T>, absentCodes: readonly number[] = [-5]): NodeResult<T | null> {
  return !result.ok && isRpcError(result.error, absentCodes) ? succeed(null) : result;
}

/** True if the node itself answered with one of these JSON-RPC error codes. */
export const isRpcError = (error: NodeError, codes: readonly number[]): boolean =>
  error.code === 'rpc' && error.rpcCode !== undefined && codes.includes(error.rpcCode);
