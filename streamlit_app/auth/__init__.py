"""The door: who may come in, before anything is served. No page and no Streamlit element belongs here."""
