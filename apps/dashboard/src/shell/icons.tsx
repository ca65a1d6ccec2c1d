import type { ReactNode } from 'react';

/** Pictures of the navigation, drawn with the text's colour. */
function icon(paths: ReactNode) {
  return (
    <svg
      className="icon"
      viewBox="0 0 24 24"
      width="20"
      height="20"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
    >
      {paths}
    </svg>
  );
}

export const ICONS = {
  overview: icon(<path d="M4 13h6V4H4zM14 20h6V11h-6zM14 4v3h6V4zM4 17v3h6v-3z" />),
  revenue: icon(<path d="M4 19h16M6 15l4-5 4 3 5-8" />),
  torrents: icon(<path d="M4 7l8-4 8 4-8 4zM4 12l8 4 8-4M4 17l8 4 8-4" />),
  channels: icon(<path d="M4 8h13l-3-3M20 16H7l3 3" />),
  nodes: icon(<path d="M4 5h16v5H4zM4 14h16v5H4zM8 7.5h.01M8 16.5h.01" />),
  settlement: icon(<path d="M12 3v18M8 7h6.5a2.5 2.5 0 0 1 0 5H9.500a2.500 2.500 0 0 0 0 5H16" />),
  treasury: icon(<path d="M4 9l8-5 8 5M5 9v9M10 9v9M14 9v9M19 9v9M3 20h18" />),
  alerts: icon(<path d="M6 16V11a6 6 0 0 1 12 0v5l2 2H4zM10 21h4" />),
  settings: icon(<path d="M4 7h9M17 7h3M4 17h3M11 17h9M15 4.500v5M9 14.500v5" />),
} as const;

export type IconName = keyof typeof ICONS;
