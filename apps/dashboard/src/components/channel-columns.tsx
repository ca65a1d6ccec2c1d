import type { Channel } from '../api/types';
import { torrentName as nameOf, words } from '../format';
import { Link } from '../router';
import type { Column } from './data-table';
import { Pill } from './pill';

/** Columns that every list of channels has. */
export const CHANNEL: Column<Channel> = {
  title: 'Channel',
  cell: ({ id }) => (
    <Link to={`/channels/${id}`} className="mono">
      {id.slice(0, 8)}
    </Link>
  ),
};

export const TORRENT: Column<Channel> = {
  title: 'Torrent',
  cell: ({ torrentName, infoHash }) => (
    <Link to={`/torrents/${infoHash}`} className="name">
      {nameOf(torrentName, infoHash)}
    </Link>
  ),
};

export const STATE: Column<Channel> = {
  title: 'State',
  cell: ({ state, stateReason }) => (
    <span title={words(stateReason)}>
      <Pill state={state} />
    </span>
  ),
};
