import type { Message } from '@seedfleet/wire';
import type { Differences } from '../compare.js';
import type { Fields } from '../input/fields.js';

/** Compares a decoded message with the reference's names for the same fields. */
export const compareFields = (diff: Differences, message: Message, fields: Fields): void => {
  switch (message.type) {
    case 'observe':
      return;
    case 'buy': {
      const terms = fields.fields('terms');
      diff.same('maxContractFeePerKb', terms.integer('maxContractFeePerKb'), message.terms.maxContractFeePerKb);
      diff.same('maxLock', terms.number('maxLock'), message.terms.maxLock);
      diff.same('maxPrice', terms.integer('maxPrice'), message.terms.maxPrice);
      diff.same('minNumberOfSellers', terms.number('minNumberOfSellers'), message.terms.minNumberOfSellers);
      return;
    }
    case 'sell': {
      const terms = fields.fields('terms');
      diff.same('minContractFeePerKb', terms.integer('minContractFeePerKb'), message.terms.minContractFeePerKb);
      diff.same('minLock', terms.number('minLock'), message.terms.minLock);
      diff.same('minPrice', terms.integer('minPrice'), message.terms.minPrice);
      diff.same('maxSellers', terms.number('maxSellers'), message.terms.maxSellers);
      diff.same('settlementFee', terms.integer('settlementFee'), message.terms.settlementFee);
      diff.same('index', fields.number('index'), message.index);
      return;
    }
    case 'join_contract':
      diff.same('index', fields.number('index'), message.index);
      return;
    case 'joining_contract':
      diff.same('contractPk', fields.bytes('contractPk'), message.sellerPublicKey);
      diff.same('finalPkHash', fields.bytes('finalPkHash'), message.sellerKeyHash);
      return;
    case 'ready': {
      const anchor = fields.fields('anchor');
      diff.same('value', fields.integer('value'), message.value);
      diff.same('anchor.txid', anchor.bytes('txid'), message.outpoint.txid);
      diff.same('anchor.index', anchor.number('index'), message.outpoint.index);
      diff.same('contractPk', fields.bytes('contractPk'), message.buyerPublicKey);
      diff.same('finalPkHash', fields.bytes('finalPkHash'), message.buyerKeyHash);
      return;
    }
    case 'request_full_piece':
      diff.same('pieceIndex', fields.number('pieceIndex'), message.piece);
      return;
    case 'full_piece':
      if (fields.has('length')) diff.same('length', fields.number('length'), message.data.length);
      if (fields.has('data')) diff.same('data', fields.bytes('data'), message.data);
      return;
    case 'payment':
      diff.same('sig', fields.bytes('sig'), message.signature);
      return;
    case 'speedTestRequest':
      diff.same('payloadSize', fields.number('payloadSize'), message.size);
      return;
    case 'speedTestPayload':
      diff.same('payloadSize', fields.number('payloadSize'), message.data.length);
      return;
  }
};
