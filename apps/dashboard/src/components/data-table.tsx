import type { ReactNode } from 'react';

export interface Column<T> {
  readonly title: string;
  readonly right?: boolean;
  /** What the column means, for whoever points at its title. */
  readonly hint?: string;
  /** What the server sorts by, where it can sort by this column. */
  readonly sort?: string;
  readonly cell: (row: T) => ReactNode;
}

interface DataTableProps<T> {
  readonly caption: string;
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  readonly keyOf: (row: T) => string;
  /** Shown in place of rows. */
  readonly empty: string;
  /** Row below all others. */
  readonly footer?: readonly ReactNode[];
  /** A row's details, shown below it. */
  readonly details?: (row: T) => ReactNode;
  readonly sorted?: { readonly by: string; readonly descending: boolean; readonly onSort: (by: string) => void };
}

/** A table that turns into a list of cards where the screen is narrow. */
export function DataTable<T>({ caption, columns, rows, keyOf, empty, footer, details, sorted }: DataTableProps<T>) {
  return (
    <div className="table-frame">
      <table>
        <caption className="for-screen-readers">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ title, right, hint, sort }) => (
              <th
                key={title}
                scope="col"
                className={right ? 'right' : undefined}
                title={hint}
                aria-sort={
                  sort !== undefined && sorted?.by === sort
                    ? sorted.descending
                      ? 'descending'
                      : 'ascending'
                    : undefined
                }
              >
                {sort === undefined || sorted === undefined ? (
                  title
                ) : (
                  <button type="button" className="sort" onClick={() => sorted.onSort(sort)}>
                    {title}
                    <span aria-hidden="true">{sorted.by === sort ? (sorted.descending ? ' ↓' : ' ↑') : ''}</span>
                  </button>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.length === 0 && (
            <tr>
              <td colSpan={columns.length} className="muted">
                {empty}
              </td>
            </tr>
          )}
          {rows.map((row) => {
            const detail = details?.(row);
            return [
              <tr key={keyOf(row)}>
                {columns.map(({ title, right, cell }) => (
                  <td key={title} data-title={title} className={right ? 'right' : undefined}>
                    {cell(row)}
                  </td>
                ))}
              </tr>,
              detail !== undefined && detail !== null && (
                <tr key={`${keyOf(row)} details`} className="details">
                  <td colSpan={columns.length}>{detail}</td>
                </tr>
              ),
            ];
          })}
        </tbody>
        {footer !== undefined && rows.length > 0 && (
          <tfoot>
            <tr>
              {footer.map((cell, place) => {
                const column = columns[place];
                return (
                  <td key={column?.title} data-title={column?.title} className={column?.right ? 'right' : undefined}>
                    {cell}
                  </td>
                );
              })}
            </tr>
          </tfoot>
        )}
      </table>
    </div>
  );
}
