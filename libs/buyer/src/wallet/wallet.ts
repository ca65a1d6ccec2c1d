import { isHeldByNode } from '@seedfleet/bitcoin-node';
import { Refunds, type RefundRound } from '../refund/refund.js';
import { BuyerError, ExitCode } from '../failure.js';
import type { Reporter } from '../events.js';
import type { AccessOptions } from '../options.js';
import { bookDeposits, type BookedDeposit } from './booking.js';
import { WalletCoins } from './coins.js';
import { ContractRecords } from './contract-records.js';
import { DepositLooker } from './deposit-state.js';
import { WalletKeys } from './keys.js';
import { connectNode, expectAnswer, type NodeLink } from './node-link.js';
import { ReceivedCoins } from './received.js';
import { SendRecords } from './send-records.js';

/** An open wallet: keys, coins and records, with the node they are looked up at. Held by one process at a time. */
export class Wallet {
  readonly records: ContractRecords;
  readonly sends: SendRecords;
  readonly received: ReceivedCoins;
  readonly coins: WalletCoins;

  private constructor(
    readonly link: NodeLink,
    readonly keys: WalletKeys,
    readonly dir: string,
  ) {
    this.records = new ContractRecords(dir);
    this.sends = new SendRecords(dir);
    this.received = new ReceivedCoins(dir);
    this.coins = new WalletCoins(link, keys, this);
  }

  /** Connects to the node and opens the folder; makes a wallet there on first use. */
  static async open(options: AccessOptions): Promise<Wallet> {
    const link = await connectNode(options);
    try {
      const { walletNetwork, channelNetwork } = link;
      const keys = WalletKeys.open(options.walletDir, walletNetwork, channelNetwork, {
        passphrase: options.passphrase,
      });
      return new Wallet(link, keys, options.walletDir);
    } catch (failure) {
      link.node.close();
      throw failure;
    }
  }

  /** Where every deposit stands; the records are up to date once this resolves. */
  deposits(): Promise<BookedDeposit[]> {
    return bookDeposits(this.link, this.records, this.looker());
  }

  /** Takes back what can be taken back. */
  refund(reporter: Reporter): Promise<RefundRound> {
    return new Refunds(this.link, this.keys, this.records, this.looker(), reporter).run();
  }

  /** Hands a payment that was stored, and perhaps never left, to the node again. */
  async resendPending(): Promise<void> {
    for (const record of this.sends.all(this.link.walletNetwork)) {
      if (record.state !== 'stored') continue;
      const outcome = expectAnswer(await this.link.node.broadcast(record.raw));
      if (isHeldByNode(outcome.code)) this.sends.save({ ...record, state: 'broadcast' });
      else if (outcome.code === 'missing-inputs') this.sends.save({ ...record, state: 'void' });
      else throw new BuyerError(ExitCode.coins, outcome.code, `payment ${record.txid} is refused: ${outcome.reason}`);
    }
  }

  close(): void {
    this.keys.close();
    this.link.node.close();
  }

  private looker(): DepositLooker {
    return new DepositLooker(this.link, this.keys, this.coins);
  }
}
