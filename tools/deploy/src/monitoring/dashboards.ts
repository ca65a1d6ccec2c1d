import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { projectFile } from '../files.js';

const dashboard = z.looseObject({
  uid: z.string(),
  title: z.string(),
  panels: z.array(
    z.looseObject({
      title: z.string(),
      targets: z.array(z.looseObject({ expr: z.string() })).optional(),
    }),
  ),
});

/** A query of a dashboard's panel. */
export interface PanelQuery {
  readonly where: string;
  readonly expr: string;
}

export const DASHBOARDS = 'deploy/grafana/dashboards';

/** Every query of the committed dashboards. */
export function panelQueries(): PanelQuery[] {
  return readdirSync(projectFile(DASHBOARDS)).flatMap((name) => {
    const { panels } = dashboard.parse(JSON.parse(readFileSync(projectFile(`${DASHBOARDS}/${name}`), 'utf8')));
    return panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => ({ where: `${name}, panel “${title}”`, expr })),
    );
  });
}
