/** What a finished sale came to. Satoshi are decimal strings. */
export interface SaleReport {
  readonly torrent: string;
  readonly infoHash: string;
  readonly pieces: number;
  readonly payments: number;
  readonly priceSat: string;
  readonly fundingTxid: string;
  readonly settlementTxid: string;
  readonly confirmations: number;
  /** k·P. */
  readonly revenueSat: string;
  /** F. */
  readonly settlementFeeSat: string;
  /** k·P − F. */
  readonly collectedSat: string;
}
