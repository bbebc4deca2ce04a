// Before the first paint, so that nothing changes its colour or direction in front of the reader.
;(() => {
  const { documentElement: root } = document
  try {
    const theme = localStorage.getItem('tidegate.theme')
    if (theme === 'light' || theme === 'dark') root.dataset.theme = theme
    const language = localStorage.getItem('tidegate.language') ?? navigator.language.slice(0, 2)
    root.lang = ['en', 'es', 'he'].includes(language) ? language : 'en'
    root.dir = root.lang === 'he' ? 'rtl' : 'ltr'
  } catch {
    // Storage is forbidden here; the system's theme and English will do.
  }
})()
