/** Light, dark, or as the system says. Kept per browser. */
export type Theme = 'system' | 'light' | 'dark';

const STORAGE_NAME = 'seedfleet.theme';
const ORDER: readonly Theme[] = ['system', 'light', 'dark'];

export function storedTheme(): Theme {
  const stored = window.localStorage.getItem(STORAGE_NAME);
  return ORDER.find((theme) => theme === stored) ?? 'system';
}

export function applyTheme(theme: Theme): void {
  window.localStorage.setItem(STORAGE_NAME, theme);
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

export function nextTheme(theme: Theme): Theme {
  return ORDER[(ORDER.indexOf(theme) + 1) % ORDER.length] ?? 'system';
}
