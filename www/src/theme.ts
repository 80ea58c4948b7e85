/** Light or dark: the system's choice until the visitor makes another one. public/first-paint.js applies it early. */

export type Theme = 'light' | 'dark';

const KEY = 'dashboard-theme';

/** Binds the switch; `onChange` is told when the page's colours have changed, by whichever cause. */
export function bindTheme(button: HTMLButtonElement, onChange: () => void): void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const preferred = (): Theme => (system.matches ? 'dark' : 'light');
  const current = (): Theme => chosen() ?? preferred();

  const show = (): void => {
    button.setAttribute('aria-pressed', String(current() === 'dark'));
    onChange();
  };
  button.addEventListener('click', () => {
    const next: Theme = current() === 'dark' ? 'light' : 'dark';
    // Back at what the system says, the page follows the system again.
    choose(next === preferred() ? null : next);
    show();
  });
  system.addEventListener('change', show);
  show();
}

function chosen(): Theme | null {
  const theme = document.documentElement.dataset['theme'];
  return theme === 'light' || theme === 'dark' ? theme : null;
}

function choose(theme: Theme | null): void {
  if (theme === null) delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
  try {
    if (theme === null) localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // Storage is blocked or full: the choice holds until the page is left.
  }
}
