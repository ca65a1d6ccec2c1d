import { childrenHelp, type PolicyOverrides } from '@seedfleet/policy';
import type { ChannelServiceConfig } from './config.js';

type Choices = Pick<
  ChannelServiceConfig,
  'SEEDFLEET_NETWORK' | 'LIMIT_LOCAL_ADDRESSES' | 'ZERO_CONF_REPLACEABLE' | 'ZERO_CONF_AFTER_CONFLICT'
>;

/** What the environment changes of the default policy. */
export function policyOf(config: Choices): PolicyOverrides {
  const { ZERO_CONF_REPLACEABLE: replaceable, ZERO_CONF_AFTER_CONFLICT: afterConflict } = config;
  const chosen = replaceable === undefined ? {} : { bitcoin: { replaceable }, bitcoinCash: { replaceable } };
  return {
    limitLocalAddresses: config.LIMIT_LOCAL_ADDRESSES,
    zeroConf: { afterConflict, ...chosen },
    // Where a child helps nothing, nothing is kept back for one.
    ...(childrenHelp(config.SEEDFLEET_NETWORK) ? {} : { child: { minTreasuryCoins: 0 } }),
  };
}
