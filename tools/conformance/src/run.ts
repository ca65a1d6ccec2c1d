import { eventLogsBeside, expandPath, loadFile, type LoadedFile } from './input/load.js';
import type { Fields } from './input/fields.js';
import { runContractFees, runContracts, runContractSizes } from './payment-channel/contracts.js';
import { runPaymentRegistration } from './payment-channel/payment-registration.js';
import { runRefunds } from './payment-channel/refunds.js';
import { runMalformedRedeemScripts, runNetworks, runRedeemScripts } from './payment-channel/scripts.js';
import { runSettlements } from './payment-channel/settlements.js';
import { Report } from './report.js';
import { runScenarios } from './scenarios/scenarios.js';
import { runTranscript } from './transcripts/transcripts.js';
import { runMDictionary } from './wire/m-dictionary.js';
import { runMalformed, runMessages } from './wire/messages.js';

type Section = (content: Fields, report: Report, file: string) => void;

const WIRE: readonly Section[] = [runMessages, runMalformed, runMDictionary];

const PAYMENT_CHANNEL: readonly Section[] = [
  runNetworks,
  runRedeemScripts,
  runMalformedRedeemScripts,
  runContracts,
  runContractSizes,
  runContractFees,
  runSettlements,
  runRefunds,
  runPaymentRegistration,
];

/**
 * Runs every vector of the given files and folders against the libraries. A file that can't be read or recognised is a
 * failure; event logs and torrents are companions of transcripts and are skipped by themselves.
 */
export const runFiles = async (paths: readonly string[]): Promise<Report> => {
  const report = new Report();
  const files: LoadedFile[] = [];
  for (const path of paths) {
    for (const file of await expandPath(path)) files.push(await loadFile(file));
  }
  const eventLogs = files.filter(({ file }) => file.form === 'event-log');
  for (const loaded of files) await runFile(loaded, eventLogs, report);
  return report;
};

const runFile = async (loaded: LoadedFile, eventLogs: readonly LoadedFile[], report: Report): Promise<void> => {
  const { file, name } = loaded;
  switch (file.form) {
    case 'wire':
      for (const section of WIRE) section(file.content, report, name);
      return;
    case 'payment-channel':
      for (const section of PAYMENT_CHANNEL) section(file.content, report, name);
      return;
    case 'scenarios':
      runScenarios(file.content, report, name, loaded.path);
      return;
    case 'transcript': {
      const logs = [...eventLogs, ...(await eventLogsBeside(loaded.path))];
      const lines = logs.map((log) => (log.file.form === 'event-log' ? log.file.lines : []));
      runTranscript(file.lines, lines, report, name);
      return;
    }
    case 'event-log':
    case 'torrent':
      report.skipped.push(`${name}: a transcript's companion (${file.form})`);
      return;
    case 'documentation':
      report.skipped.push(`${name}: no vectors, but text`);
      return;
    case 'unknown':
      report.add(name, [`cannot be run: ${file.reason}`]);
  }
};
