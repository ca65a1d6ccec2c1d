import { resolve } from 'node:path';
import { eventLogsBeside, expandPath, loadFile, type LoadedFile } from './input/load.js';
import type { Fields } from './input/fields.js';
import { PAYMENT_CHANNEL_KEYS, WIRE_KEYS } from './input/forms.js';
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
      noteUnknown(file.content, WIRE_KEYS, report, name);
      for (const section of WIRE) section(file.content, report, name);
      return;
    case 'payment-channel':
      noteUnknown(file.content, PAYMENT_CHANNEL_KEYS, report, name);
      for (const section of PAYMENT_CHANNEL) section(file.content, report, name);
      return;
    case 'scenarios':
      runScenarios(file.content, report, name, loaded.path);
      return;
    case 'transcript': {
      const logs = new Map(
        [...eventLogs, ...(await eventLogsBeside(loaded.path))].map((log) => [resolve(log.path), log]),
      );
      const lines = [...logs.values()].map((log) => (log.file.form === 'event-log' ? log.file.lines : []));
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

/** Says which parts of a file have no runner, so that nothing goes by unnoticed. */
const noteUnknown = (content: Fields, known: readonly string[], report: Report, name: string): void => {
  for (const key of content.keys) {
    if (key !== 'meta' && !known.includes(key)) report.skipped.push(`${name} ${key}: a section that is not known here`);
  }
};
