export const USAGE = `usage:
  leecher download FILE.torrent --out DIR --peer HOST:PORT [--peer HOST:PORT]…
      [--max-price SAT]       most satoshi per piece (default: the default buyer's price for this torrent)
      [--max-lock UNITS]      longest lock of the deposit, in units of 512 s (default 20)
      [--max-fee-per-kb SAT]  most satoshi per 1,000 bytes of the funding transaction (default 1024)
      [--sellers N]           sellers in one contract (default 1)
  leecher refund              takes back deposits whose lock has ended

  each with:
      [--rpc URL] [--cookie FILE]  the Bitcoin node (default: BTC_RPC and BTC_COOKIE)
      [--wallet DIR]               keys and contracts (default: ~/.local/share/seedfleet-leecher)
      [--network NAME]             signing rule of the channels (default: the node's network)
      [--json]                     one JSON event per line

exit codes: 0 done, 1 failed, 2 usage, 3 no fitting seller, 4 coins, 5 incomplete`;
