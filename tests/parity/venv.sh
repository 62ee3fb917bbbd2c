# What the scripts here share. Sourced with $requirements and $python: $venv becomes an environment with what the file
# requires, PARITY_VENV if that is set (made once, used again), else one that is removed when the script ends.
if [ -n "${PARITY_VENV:-}" ]; then
    venv=$PARITY_VENV
else
    venv=$(mktemp -d "${TMPDIR:-/tmp}/parity-venv.XXXXXX")
    trap 'rm -rf "$venv"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
fi
if [ ! -f "$venv/ready" ] || ! cmp -s "$requirements" "$venv/ready"; then
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
    cp "$requirements" "$venv/ready"
fi
