// A classic script in the head, so that a remembered theme is there before the first paint. src/theme.ts does the rest.
try {
  const theme = localStorage.getItem('dashboard-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage is blocked: the system's theme it is.
}
