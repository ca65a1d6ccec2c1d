import { describe, expect, inject, it } from 'vitest';
import { complianceSuite } from '../testing/compliance-suite.js';
import { must } from '../testing/workbench.js';
import { RegtestControl } from '../regtest.js';
import { RpcClient } from '../rpc/client.js';
import { listenForHints, type NodeHint } from '../zmq-hints.js';
import { CoreNode } from './core-node.js';
import { MempoolScan } from './mempool-scan.js';

const url = inject('rpcUrl');
const open = () => ({ node: new CoreNode({ url }), control: new RegtestControl({ url }) });

complianceSuite('CoreNode', open);

describe('beside the compliance suite', () => {
  it('mirrors the mempool for nodes that do not name spenders', async () => {
    const { node, control } = open();
    const scan = new MempoolScan(new RpcClient({ url }));
    const address = await must(control.newAddress());
    const txid = await must(control.send(address, 1_00000000n));
    const input = (await must(node.transaction(txid)))?.transaction.inputs[0];
    if (!input) throw new Error('a payment has an input');
    const asked = [{ txid: input.txid, vout: input.vout }];
    expect(await must(scan.spenders(asked))).toMatchObject([{ spenderTxid: txid }]);
    await must(control.mine(1));
    expect(await must(scan.spenders(asked))).toMatchObject([{ spenderTxid: null }]);
  });

  it.runIf(inject('zmqAddress') !== '')('is woken by ZMQ', async () => {
    const { control } = open();
    const hints: NodeHint[] = [];
    const stop = listenForHints({ address: inject('zmqAddress'), onHint: (hint) => hints.push(hint) });
    await expect
      .poll(
        async () => {
          await must(control.mine(1));
          return new Set(hints);
        },
        { timeout: 5_000, interval: 100 },
      )
      .toEqual(new Set(['block', 'transaction']));
    stop();
  });

  it('keeps regtest control away from other chains', async () => {
    const control = new RegtestControl({ url: 'http://127.0.0.1:1', retryForMs: 0 });
    expect(await control.mine(1)).toMatchObject({ ok: false, error: { code: 'unreachable' } });
  });
});
