// Puts the chosen theme in force before anything is drawn; a file, because inline scripts are refused.
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is refused here: the system's theme holds.
}
