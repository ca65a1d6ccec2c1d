/**
 * A reference-shaped seller in a process of its own, with its content in memory, so that what is measured is the leecher.
 * Arguments: the content's file, the piece length, the address to listen on. Reports where it listens by IPC.
 */
import { readFileSync } from 'node:fs';
import { ReferenceSeller, torrentOf } from '@seedfleet/interop';

const [contentPath = '', pieceLength = '', host = ''] = process.argv.slice(2);
const content = readFileSync(contentPath);
const torrent = torrentOf('content.bin', content, Number(pieceLength));
const seller = await ReferenceSeller.listen({
  torrent,
  content,
  host,
  network: 'regtest',
  joinAfterMs: 10,
  terms: { minContractFeePerKb: 1_024n, minLock: 10, minPrice: 10n, maxSellers: 5, settlementFee: 450n },
});
process.send?.({ address: seller.address });
process.on('disconnect', () => process.exit());
