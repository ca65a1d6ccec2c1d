import type { Wallet } from './wallet.js';

/** One line of the wallet's history. Satoshi; what leaves is negative. */
export interface HistoryEntry {
  readonly at: string;
  readonly kind: 'received' | 'sent' | 'deposit' | 'settled' | 'refunded';
  readonly txid: string;
  readonly amountSat: bigint;
  readonly feeSat: bigint;
  readonly detail: string;
}

/** Everything that ever moved, oldest first, by the wallet's own records. */
export function walletHistory({ received, sends, records, link }: Wallet): HistoryEntry[] {
  const incoming = received.all().map(({ outpoint, valueSat, seenAt, height }): HistoryEntry => {
    const txid = outpoint.slice(0, 64);
    return { at: seenAt, kind: 'received', txid, amountSat: BigInt(valueSat), feeSat: 0n, detail: `block ${height}` };
  });
  const outgoing = sends.all(link.walletNetwork).flatMap(({ createdAt, txid, amountSat, feeSat, address, state }) =>
    state === 'void'
      ? []
      : [
          {
            at: createdAt,
            kind: 'sent' as const,
            txid,
            amountSat: -BigInt(amountSat),
            feeSat: BigInt(feeSat),
            detail: address,
          },
        ],
  );
  const contracts = records
    .all(link.channelNetwork)
    .flatMap(({ createdAt, txid, state, feeSat, outputs }): HistoryEntry[] => {
      if (state !== 'broadcast') return [];
      const deposits = outputs.flatMap((output, place): HistoryEntry[] => {
        const { seller, valueSat, back, payments } = output;
        const made: HistoryEntry = {
          at: createdAt,
          kind: 'deposit',
          txid,
          amountSat: -BigInt(valueSat),
          // The funding transaction's fee belongs to all of them; it stands at the first.
          feeSat: place === 0 ? BigInt(feeSat) : 0n,
          detail: `${seller}, ${payments} payments`,
        };
        if (output.state === 'open' || back === null) return [made];
        const returned = { at: createdAt, kind: output.state, txid: back.txid, amountSat: BigInt(back.valueSat) };
        return [made, { ...returned, feeSat: 0n, detail: `of ${txid}:${output.vout}` }];
      });
      return deposits;
    });
  return [...incoming, ...outgoing, ...contracts].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}
