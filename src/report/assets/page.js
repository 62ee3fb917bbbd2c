// A click on a head sorts the rows of its table: numbers as numbers, missing values last.
function keyOf(row, column) {
  const cell = row.cells[column];
  const text = cell.dataset.v ?? cell.textContent.trim();
  const number = parseFloat(text);
  return text === '' || text === '-' ? null : isNaN(number) ? text : number;
}

function compare(x, y) {
  return typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y));
}

function sortBy(table, head) {
  const column = [...head.parentNode.children].indexOf(head);
  const ascending = head.getAttribute('aria-sort') === 'descending';
  table.querySelectorAll('th').forEach(h => h.removeAttribute('aria-sort'));
  head.setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
  const body = table.tBodies[0];
  [...body.rows]
    .sort((a, b) => {
      const x = keyOf(a, column), y = keyOf(b, column);
      if (x === null || y === null) return (x === null) - (y === null);
      return ascending ? compare(x, y) : compare(y, x);
    })
    .forEach(row => body.append(row));
}

document.querySelectorAll('table.sort').forEach(table =>
  table.querySelectorAll('thead button').forEach(button =>
    button.addEventListener('click', () => sortBy(table, button.closest('th')))));

const root = document.documentElement;
document.getElementById('theme').addEventListener('click', () => {
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = dark ? 'light' : 'dark';
});
addEventListener('beforeprint', () => document.querySelectorAll('details').forEach(d => { d.open = true; }));
