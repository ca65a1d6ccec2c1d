import { callRpc, mine, walletUrl } from '@seedfleet/fleet';
import { fromHex, p2shScript, toHex } from '@seedfleet/payment-channel';
import { address as addresses, networks } from 'bitcoinjs-lib';
import type { FundOrder, Joined } from './sink-orders.js';

/** Above the last payment, so that no transfer ends by exhausting its channel. */
const SPARE_PAYMENTS = 16n;
/** What reference buyers add, so that the change of the last settlement is no dust. */
const MARGIN_SAT = 600n;
const FEE_RATE_SAT_PER_VB = 25;

/** Pays for all channels of a transfer by one transaction, and mines it, so that everything may be served. */
export async function fundChannels(rpcUrl: string, joined: readonly Joined[], payments: number): Promise<FundOrder> {
  const wanted = joined.map((channel) => {
    const script = p2shScript(fromHex(channel.redeemScript));
    const priceSat = BigInt(channel.priceSat);
    const paymentsSat = priceSat * (BigInt(payments) + SPARE_PAYMENTS);
    const valueSat = MARGIN_SAT + 2n * BigInt(channel.settlementFeeSat) + paymentsSat;
    return { script, valueSat, address: addresses.fromOutputScript(script, networks.regtest) };
  });
  const amounts = Object.fromEntries(wanted.map(({ address, valueSat }) => [address, coins(valueSat)]));
  const txid = (await callRpc(walletUrl(rpcUrl), 'sendmany', [
    '',
    amounts,
    1,
    '',
    [],
    false,
    null,
    'unset',
    FEE_RATE_SAT_PER_VB,
  ])) as string;
  await mine(rpcUrl, 1);
  const { vout } = (await callRpc(rpcUrl, 'getrawtransaction', [txid, true])) as {
    vout: { n: number; scriptPubKey: { hex: string } }[];
  };
  return {
    type: 'fund',
    txid,
    outputs: wanted.map(({ script, valueSat }) => {
      const output = vout.find(({ scriptPubKey }) => scriptPubKey.hex === toHex(script));
      if (output === undefined) throw new Error('the funding transaction lacks an output');
      return { vout: output.n, valueSat: valueSat.toString() };
    }),
  };
}

/** Whole coins as decimal text: RPC speaks them, and no float touches money. */
function coins(sat: bigint): string {
  return `${sat / 100_000_000n}.${(sat % 100_000_000n).toString().padStart(8, '0')}`;
}
