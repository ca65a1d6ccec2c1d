import type { ReportEvent } from '@seedfleet/buyer';

/** What a person is told of an event, or undefined where nothing. */
export function lineOf(event: ReportEvent, pieceBytes: number): string | undefined {
  switch (event.event) {
    case 'wallet':
      return `wallet ${event.dir}: ${event.spendableSat} sat spendable`;
    case 'mining':
      return `mining ${event.blocks} regtest blocks: ${event.detail}`;
    case 'resumed':
      return `${event.have} of ${event.pieces} pieces are there already`;
    case 'peers-found':
      return `${event.count} peers found by ${event.source}`;
    case 'seller-connected':
      return `connected to ${event.seller}`;
    case 'seller-lost':
      return `lost ${event.seller}: ${event.code}`;
    case 'seller-joined': {
      const speed = event.latencyMs === null ? '' : `, speed test ${Math.round(event.latencyMs)} ms`;
      return `${event.seller} joins at ${event.priceSat} sat a piece${speed}`;
    }
    case 'quote':
      return (
        `${event.pieces} pieces of ${pieceBytes} bytes at ${event.priceSat} sat (${event.perGibSat} sat/GiB): ` +
        `${event.totalSat} sat in all; deposit ${event.depositSat}, fee ${event.feeSat}`
      );
    case 'contract':
      return (
        `deposit ${event.depositSat} sat (fee ${event.feeSat}) in ${event.txid}; what is not spent returns by ` +
        `settlement, or by refund ${event.refundableAfterUnits} × 512 s after it is mined`
      );
    case 'contract-used-up':
      return `the contract is used up, ${event.missing} pieces are missing: looking for sellers again`;
    case 'purchase-ended':
      return `purchase from ${event.seller} ended: ${event.code}, ${event.payments} payments`;
    case 'done':
      return (
        `done: ${event.pieces} pieces in ${event.out}, ${event.payments} payments, ${event.paidSat} sat, ` +
        `${event.seconds.toFixed(1)} s`
      );
    case 'refund':
      return `${event.outpoint}: ${event.state}${event.detail === '' ? '' : ` (${event.detail})`}`;
    case 'retrying':
      return `trying again: ${event.message}`;
    case 'seed':
      return `the seed words of ${event.dir}; write them down, they are the money:\n${event.words}`;
    case 'address':
      return event.address;
    case 'balance':
      return balanceText(event);
    case 'moved':
      return `${event.at}  ${event.kind.padEnd(8)} ${event.amountSat.padStart(14)} sat  ${event.txid}  ${event.detail}`;
    case 'sent':
      return `${event.amountSat} sat to ${event.address}, fee ${event.feeSat}, in ${event.txid}`;
    case 'restoring':
      return `block ${event.height}`;
    case 'restored':
      return (
        `restored from ${event.blocks} blocks: ${event.contracts} contracts, ${event.received} coins received` +
        (event.unavailable === 0 ? '' : `; ${event.unavailable} blocks are pruned and could not be read`)
      );
    case 'streaming':
      return `open ${event.url} in a player${event.files.length > 1 ? `; files:\n${event.files.join('\n')}` : ''}`;
    case 'first-byte':
      return `first byte at ${event.offset} after ${event.ms} ms`;
    case 'piece':
    case 'payment':
    case 'progress':
    case 'error':
      return undefined;
  }
}

function balanceText(event: Extract<ReportEvent, { event: 'balance' }>): string {
  const lines = [
    `spendable ${event.spendableSat} sat`,
    `locked ${event.lockedSat} sat, refundable now ${event.refundableSat}, on its way back ${event.returningSat}`,
    ...(event.immatureSat === '0' ? [] : [`immature ${event.immatureSat} sat`]),
    ...event.locked.map(({ outpoint, seller, valueSat, paidSat, state, refundableAt }) => {
      const until = refundableAt === null ? '' : `, refundable at ${refundableAt}`;
      return `  ${outpoint} with ${seller}: ${valueSat} sat, ${paidSat} paid, ${state}${until}`;
    }),
    `of ${event.deposits.depositedSat} sat ever deposited ${event.deposits.spentSat} were spent`,
  ];
  return lines.join('\n');
}
