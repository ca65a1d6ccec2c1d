import type { ReactNode } from 'react';
import type { Channel } from '../api/types';
import { waiting, type Paged } from '../api/use-live';
import { Card } from './card';
import { DataTable, type Column } from './data-table';
import { Pager } from './pager';

interface ChannelListProps {
  readonly title: string;
  readonly list: Paged<Channel>;
  readonly columns: readonly Column<Channel>[];
  readonly empty: string;
  readonly tools: ReactNode;
}

/** A list of channels that the server sorts, filters and cuts into pages. */
export function ChannelList({ title, list, columns, empty, tools }: ChannelListProps) {
  return (
    <Card title={title} failure={list.failure} tools={tools}>
      <DataTable
        caption={title}
        columns={columns}
        rows={list.value?.items ?? []}
        keyOf={({ id }) => id}
        empty={list.value === undefined ? waiting(list) : empty}
      />
      <Pager list={list} name={title.toLowerCase()} />
    </Card>
  );
}
